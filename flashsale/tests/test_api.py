"""Sales for programs."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from flashsale.models import SaleItem

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
