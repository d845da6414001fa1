"""Faults 4 and 8 of well-known recipes: what a shopper may say of himself. Put to both."""

import json
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.test import RequestFactory

from accounts.models import User
from flashsale import stock
from flashsale.models import SaleItem
from flashsale.passes import Signer
from flashsale.tests.conftest import attempt
from flashsale.tests.gates import bearer, running_gate
from flashsale.tests.recipes import CookieQueue, buy_for_whom_the_body_names, store

pytestmark = pytest.mark.django_db(transaction=True)
MakeSale = Callable[..., SaleItem]
Shoppers = Callable[[int], list[User]]


@pytest.fixture(scope="module")
def gate() -> Iterator[str]:
    with running_gate() as address:
        yield address


def pass_of(item: SaleItem, user: User, *, changed: bool = False) -> str:
    """Return a pass; `changed` if its owner has written another time into it."""
    expiry = int(time.time()) + 600
    token = Signer(settings.PASS_KEYS).issue(sale=item.sale_id, user=user.pk, expires_at=expiry)
    return token.replace(f".{expiry}.", f".{expiry - 60}.") if changed else token


def post(gate: str, item: SaleItem, *, headers: dict[str, str], query: str = "", body: str = "") -> int:
    """Attempt at the gate; return the status."""
    connection = HTTPConnection(urlsplit(gate).netloc, timeout=10)
    try:
        path = f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt?{query}"
        connection.request("POST", path, body, {"Content-Type": "application/json"} | headers)
        return connection.getresponse().status
    finally:
        connection.close()


def bought_by_the_recipe(_gate: str, _item: SaleItem, _mallory: User, name: int) -> set[int]:
    body = json.dumps({"user_id": name, "question": 3, "answer": "C"})
    buy_for_whom_the_body_names(RequestFactory().post("/", body, content_type="application/json"))
    return {int(buyer) for buyer in store().smembers("recipe:buyers")}


def bought_without_a_pass(gate: str, item: SaleItem, _mallory: User, name: int) -> set[int]:
    return bought_at_our_gate(gate, item, name, headers={}, status=403)


def bought_with_his_own_pass(gate: str, item: SaleItem, mallory: User, name: int) -> set[int]:
    return bought_at_our_gate(gate, item, name, headers=bearer(pass_of(item, mallory)), status=201)


def bought_at_our_gate(
    gate: str, item: SaleItem, name: int, *, headers: dict[str, str], status: int
) -> set[int]:
    headers = {"Cookie": f"user_id={name}", "X-User": str(name)} | headers
    body = json.dumps({"user_id": name, "user": name})
    assert post(gate, item, query=f"user_id={name}&user={name}", body=body, headers=headers) == status
    return set(stock.run(stock.members(item.sale_id, item.pk)).holders)


@pytest.mark.parametrize(
    ("buy", "buyers"),
    [
        pytest.param(bought_by_the_recipe, {"ann"}, id="recipe"),
        pytest.param(bought_without_a_pass, set(), id="ours without a pass"),
        pytest.param(bought_with_his_own_pass, {"mallory"}, id="ours with his own pass"),
    ],
)
def test_fault_4_what_a_request_says_of_the_buyer_changes_nothing(
    gate: str,
    make_sale: MakeSale,
    shoppers: Shoppers,
    buy: Callable[[str, SaleItem, User, int], set[int]],
    buyers: set[str],
) -> None:
    mallory, ann = shoppers(2)
    names = {mallory.pk: "mallory", ann.pk: "ann"}
    assert {names[buyer] for buyer in buy(gate, make_sale(), mallory, ann.pk)} == buyers


def first_by_the_cookie(_gate: str, _item: SaleItem, ann: User, mallory: User) -> int:
    queue = CookieQueue()
    queue.enter(ann.pk, cookies={})
    queue.enter(mallory.pk, cookies={"entered_at": "0"})
    return queue.serve()


def first_by_us(gate: str, item: SaleItem, ann: User, mallory: User) -> int:
    cid = User(pk=mallory.pk + 1)
    rid = attempt(item, cid)[0].rid
    assert post(gate, item, headers=bearer(pass_of(item, ann))) == 202
    back_dated = {"Cookie": "entered_at=0", "Date": "Thu, 01 Jan 1970 00:00:00 GMT"}
    assert post(gate, item, headers=back_dated | bearer(pass_of(item, mallory, changed=True))) == 403
    assert post(gate, item, headers=back_dated | bearer(pass_of(item, mallory))) == 202
    return int(stock.run(stock.release(item.sale_id, item.pk, user=cid.pk, rid=rid)))


@pytest.mark.parametrize(
    ("queue", "first"), [(first_by_the_cookie, "mallory"), (first_by_us, "ann")], ids=["recipe", "ours"]
)
def test_fault_8_nobody_dates_himself_back(
    gate: str,
    make_sale: MakeSale,
    shoppers: Shoppers,
    queue: Callable[[str, SaleItem, User, User], int],
    first: str,
) -> None:
    ann, mallory = shoppers(2)
    names = {mallory.pk: "mallory", ann.pk: "ann"}
    assert names[queue(gate, make_sale(quantity=1, standby_size=2), ann, mallory)] == first
