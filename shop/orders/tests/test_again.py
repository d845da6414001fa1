"""Ordering again what an order had."""

import pytest
from django.test import Client

from accounts.models import User
from shop.catalogue.models import Variant
from shop.orders.models import CartLine
from shop.orders.tests.conftest import make_order, make_variant

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(buyer: User) -> Client:
    client = Client()
    client.force_login(buyer, backend="django.contrib.auth.backends.ModelBackend")
    return client


def in_cart() -> dict[str, int]:
    return {str(line.variant): line.quantity for line in CartLine.objects.all()}


def test_an_order_is_put_into_the_cart_again(client: Client, buyer: User, lamp: Variant) -> None:
    order = make_order(lamp, quantity=2, user=buyer, status="paid")
    assert "Order again" in client.get(order.get_absolute_url()).content.decode()
    assert client.post(f"{order.get_absolute_url()}again/")["Location"] == "/cart/"
    assert in_cart() == {"Lamp": 2}


def test_what_cannot_be_had_any_more_is_named(client: Client, buyer: User, lamp: Variant) -> None:
    order = make_order(lamp, user=buyer, status="paid")
    for handle in ("mug", "pot"):
        variant = make_variant(handle, stock=0 if handle == "mug" else 5)
        order.lines.create(variant=variant, title=handle, sku=handle, price=100, quantity=1)
    order.lines.create(variant=None, title="Old hat", sku="hat", price=100, quantity=1)
    Variant.objects.get(sku="POT").product.__class__.objects.filter(handle="pot").update(published=False)
    page = client.post(f"{order.get_absolute_url()}again/", follow=True).content.decode()
    assert "These cannot be had as you ordered them then: mug, pot, Old hat." in page
    assert in_cart() == {"Lamp": 1}


def test_nobody_orders_from_the_order_of_somebody_else(client: Client, rival: User, lamp: Variant) -> None:
    order = make_order(lamp, user=rival, status="paid")
    assert client.post(f"{order.get_absolute_url()}again/").status_code == 404
    assert client.get(f"{order.get_absolute_url()}again/").status_code == 405
