"""Sales for programs."""

import hashlib
from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from flashsale.models import SaleItem
from flashsale.tests.pages import change

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]


def test_a_sale_is_told_with_its_items(client: Client, make_sale: Make) -> None:
    item = make_sale(quantity=3, price=4900, standby_size=5)
    found = client.get(f"/api/sales/{item.sale_id}/").json()
    assert (found["id"], found["state"], found["pay_within"]) == (item.sale_id, "running", 600)
    assert found["url"] == f"http://testserver/sales/{item.sale.slug}/"
    assert found["status_url"] == f"http://testserver/gate/sales/{item.sale_id}"
    assert found["items"] == [
        {
            "id": item.pk,
            "title": str(item.variant),
            "sku": item.variant.sku,
            "product": item.variant.product_id,
            "price": 4900,
            "usual_price": 9000,
            "currency": "USD",
            "quantity": 3,
            "limit": 1,
        }
    ]


def test_how_its_line_is_served_is_told_and_the_key_only_after_the_sale(
    client: Client, make_sale: Make
) -> None:
    item = make_sale(rate=200, queue_limit=50_000, tie_band=100)
    address, sale = f"/api/sales/{item.sale_id}/", item.sale
    assert client.get(address).json()["queue"] == {
        "rate": 200,
        "limit": 50_000,
        "tie_band": 100,
        "lots_at_open": False,
        "key_sha256": hashlib.sha256(sale.line_key.encode()).hexdigest(),
        "key": None,
    }
    assert sale.line_key not in client.get(address).content.decode()
    change(sale, closes_at=timezone.now())
    assert client.get(address).json()["queue"]["key"] == sale.line_key


def test_a_sale_without_a_rate_has_no_queue(client: Client, make_sale: Make) -> None:
    assert client.get(f"/api/sales/{make_sale().sale_id}/").json()["queue"] is None


def test_answers_and_lists_stay_secret(client: Client, make_sale: Make) -> None:
    item = make_sale(question="Which wood?", answers="oak-is-the-answer")
    text = client.get(f"/api/sales/{item.sale_id}/").content.decode()
    assert "oak-is-the-answer" not in text
    assert "whitelist_only" in text
    assert '"whitelist":' not in text


def test_drafts_are_not_told(client: Client, make_sale: Make) -> None:
    draft, _scheduled = make_sale(scheduled=False), make_sale()
    assert client.get("/api/sales/").json()["count"] == 1
    assert client.get(f"/api/sales/{draft.sale_id}/").status_code == 404


def test_many_sales_cost_as_many_queries_as_one(
    client: Client, make_sale: Make, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        make_sale()
    with django_assert_num_queries(4):
        assert len(client.get("/api/sales/").json()["results"]) == 4
