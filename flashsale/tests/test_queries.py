"""How often each page of a shopper asks the database; the public ones are counted beside what they show."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts import addresses
from accounts.models import User
from accounts.tests.conftest import HOME
from flashsale import draining
from flashsale.models import Reservation
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, win
from flashsale.tests.pages import address, logged_in

pytestmark = pytest.mark.django_db(transaction=True)
QUERIES = {
    "ready": 5,
    "enter": 2,
    "standby": 8,
    "reservation": 3,
    "order": 5,
    "pay": 7,
    "reservations": 3,
    "orders": 4,
    "account": 1,
    "addresses": 2,
    "checkout": 5,
}


@pytest.fixture
def pages(make_sale: MakeSale, bea: User, shoppers: MakeShoppers) -> dict[str, str]:
    """The pages of somebody who holds a unit of one sale, stands by in another, and has a full cart."""
    held, waited = make_sale(), make_sale(quantity=1, standby_size=5)
    (rid,) = win(held, bea)
    win(waited, *shoppers(1))
    attempt(waited, bea)
    draining.drain_once(sale_id=waited.sale_id)
    addresses.add(user=bea, parts=HOME)
    order = Reservation.objects.get(rid=rid).order
    assert order is not None
    return {
        "ready": address(held, "ready"),
        "enter": address(held, "enter"),
        "standby": address(waited, "items", str(waited.pk)),
        "reservation": f"/sales/reservations/{rid}/",
        "order": order.get_absolute_url(),
        "pay": f"{order.get_absolute_url()}pay/",
        "reservations": "/sales/reservations/",
        "orders": "/orders/",
        "account": "/accounts/",
        "addresses": "/accounts/addresses/",
        "checkout": "/checkout/",
    }


@pytest.mark.parametrize("name", QUERIES)
def test_a_shoppers_page_asks_as_often_as_it_did(
    pages: dict[str, str], bea: User, name: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client: Client = logged_in(bea)
    variant = Reservation.objects.get(user=bea, status="held").item.variant
    client.post("/cart/add/", {"variant": variant.pk})
    client.get(pages[name])
    with django_assert_num_queries(QUERIES[name]):
        assert client.get(pages[name]).status_code == 200
