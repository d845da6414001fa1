"""Cart, checkout and orders by REST."""

import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.authtoken.models import Token

from accounts.models import User
from shop.catalogue.models import Variant
from shop.orders import idempotency
from shop.orders.idempotency import Answer, Key
from shop.orders.models import Order
from shop.orders.tests.conftest import ADDRESS
from shop.orders.tests.threads import in_thread


@pytest.fixture
def api(buyer: User) -> Client:
    return Client(headers={"Authorization": f"Token {Token.objects.create(user=buyer).key}"})


def send(api: Client, path: str, body: dict[str, Any], *, key: str = "", method: str = "post") -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return getattr(api, method)(path, json.dumps(body), content_type="application/json", headers=headers)


def order_body(total: int) -> dict[str, Any]:
    return {"total": total, **{name: text for name, text in ADDRESS.items() if text}}


def test_a_cart_is_filled_changed_and_ordered(api: Client, lamp: Variant) -> None:
    filled = send(api, "/api/cart/", {"variant": lamp.pk, "quantity": 3})
    changed = send(api, "/api/cart/", {"variant": lamp.pk, "quantity": 2}, method="put")
    placed = send(api, "/api/checkout/", order_body(10290), key="first")
    assert filled.json()["lines"][0]["quantity"] == 3
    assert (changed.json()["total"], changed.json()["currency"]) == (10290, "USD")
    assert (placed.status_code, placed.json()["total"], placed.json()["status"]) == (
        201,
        10290,
        "awaiting_payment",
    )
    assert api.get("/api/cart/").json()["lines"] == []
    assert api.get("/api/orders/").json()["results"] == [
        api.get(f"/api/orders/{placed.json()['id']}/").json()
    ]


def test_a_repeat_gets_the_first_answer_and_orders_nothing(api: Client, lamp: Variant) -> None:
    send(api, "/api/cart/", {"variant": lamp.pk})
    first = send(api, "/api/checkout/", order_body(5390), key="once")
    again = send(api, "/api/checkout/", order_body(5390), key="once")
    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (201, first.json(), "true")
    assert Order.objects.count() == 1


def test_adding_to_the_cart_twice_with_one_key_adds_once(api: Client, lamp: Variant) -> None:
    send(api, "/api/cart/", {"variant": lamp.pk, "quantity": 2}, key="add")
    again = send(api, "/api/cart/", {"variant": lamp.pk, "quantity": 2}, key="add")
    assert again.json()["lines"][0]["quantity"] == 2


def test_a_key_with_another_body_is_refused(api: Client, lamp: Variant) -> None:
    send(api, "/api/cart/", {"variant": lamp.pk, "quantity": 2}, key="add")
    other = send(api, "/api/cart/", {"variant": lamp.pk, "quantity": 1}, key="add")
    assert other.status_code == 422
    assert other.json() == {"detail": "This Idempotency-Key was used for a different request. Use a new one."}


@pytest.mark.django_db(transaction=True)
def test_a_repeat_while_the_first_still_runs_is_told_so(api: Client, buyer: User, lamp: Variant) -> None:
    body = {"variant": lamp.pk, "quantity": 1}
    asked = idempotency.fingerprint(b"POST", b"/api/cart/", json.dumps(body).encode())
    answers: list[Any] = []

    def first() -> Answer:
        answers.append(in_thread(lambda: send(api, "/api/cart/", body, key="k")))
        return Answer(200, {})

    idempotency.once(key=Key(f"api:{buyer.pk}", "k", asked), act=first, wait=False)
    assert answers[0].status_code == 409


def test_a_checkout_without_a_key_is_refused(api: Client, lamp: Variant) -> None:
    send(api, "/api/cart/", {"variant": lamp.pk})
    answer = send(api, "/api/checkout/", order_body(5390))
    assert answer.status_code == 400
    assert answer.json() == {"Idempotency-Key": ["Send this header: it keeps a repeat from ordering twice."]}
    assert Order.objects.count() == 0


def test_a_missing_address_is_named_field_by_field(api: Client, lamp: Variant) -> None:
    send(api, "/api/cart/", {"variant": lamp.pk})
    answer = send(api, "/api/checkout/", {"total": 5390, "full_name": "Ada"}, key="k")
    assert (answer.status_code, sorted(answer.json())) == (400, ["city", "country", "line1"])


def test_too_many_are_refused_with_a_sentence(api: Client, lamp: Variant) -> None:
    answer = send(api, "/api/cart/", {"variant": lamp.pk, "quantity": 6})
    assert (answer.status_code, answer.json()) == (409, {"detail": "Only 5 of “Lamp” are left."})


def test_an_order_is_paid_and_cancelled_by_its_owner_only(api: Client, rival: User, lamp: Variant) -> None:
    send(api, "/api/cart/", {"variant": lamp.pk})
    path = f"/api/orders/{send(api, '/api/checkout/', order_body(5390), key='k').json()['id']}/"
    stranger = Client(headers={"Authorization": f"Token {Token.objects.create(user=rival).key}"})
    url = send(api, path + "pay/", {}).json()["url"]
    assert url.startswith("http://127.0.0.1:8000/payments/")
    assert send(api, path + "pay/", {}).json()["url"] == url
    assert [stranger.get(path).status_code, send(stranger, path + "cancel/", {}).status_code] == [404, 404]
    assert send(api, path + "cancel/", {}, key="c").json()["status"] == "cancelled"
    assert send(api, path + "cancel/", {}, key="c").json()["status"] == "cancelled"
    assert send(api, path + "cancel/", {}).status_code == 409


def test_a_stranger_reads_nothing(client: Client, db: None) -> None:
    paths = ["/api/cart/", "/api/orders/", "/api/orders/3c9d9f50-6b1e-4d8c-9f6e-2f6f9f1d3c11/"]
    assert [client.get(path).status_code for path in paths] == [403, 403, 403]


def test_the_api_is_described(client: Client, db: None) -> None:
    paths = client.get("/api/schema/?format=json").json()["paths"]
    header = next(one for one in paths["/api/checkout/"]["post"]["parameters"] if one["in"] == "header")
    assert (header["name"], header["required"]) == ("Idempotency-Key", True)
    assert {"/api/cart/", "/api/orders/", "/api/orders/{public_id}/"} <= set(paths)
