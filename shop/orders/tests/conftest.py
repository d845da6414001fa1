"""The cast of the order tests: a buyer, a rival, a lamp to send, a book to collect, a slot."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from shop.catalogue.models import Product, Variant
from shop.orders.models import Order

ADDRESS = {
    "full_name": "Ada Byron",
    "country": "GB",
    "line1": "12 Mill Lane",
    "line2": "",
    "postcode": "SW1A 1AA",
    "city": "London",
}
GUEST = {"email": "ada@example.com", **ADDRESS}


@pytest.fixture
def buyer(db: None) -> User:
    return User.objects.create_user("buyer@example.com", "correct horse battery")


@pytest.fixture
def rival(db: None) -> User:
    return User.objects.create_user("rival@example.com", "correct horse battery")


def make_variant(handle: str, *, kind: str = "shipped", price: int = 4900, stock: int = 5) -> Variant:
    product = Product.objects.create(handle=handle, title=handle.capitalize(), kind=kind)
    return Variant.objects.create(product=product, sku=handle.upper(), price=price, stock=stock)


@pytest.fixture
def lamp(db: None) -> Variant:
    return make_variant("lamp")


@pytest.fixture
def book(db: None) -> Variant:
    return make_variant("book", kind="collected", price=1200)


@pytest.fixture
def slot(db: None) -> Variant:
    variant = make_variant("vaccination", kind="slot", price=0)
    variant.slot_place = "Town hall"
    variant.slot_starts_at = timezone.now() + timedelta(days=7)
    variant.save()
    return variant


@pytest.fixture
def guest(db: None) -> Client:
    return Client()


def put_into_cart(client: Client, variant: Variant, quantity: int = 1) -> None:
    answer = client.post("/cart/add/", {"variant": variant.pk, "quantity": quantity})
    assert answer.status_code == 302, answer.content
    assert answer["Location"] == "/cart/"


def token_of(client: Client) -> str:
    return str(client.get("/checkout/").context["token"])


def check_out(client: Client, **fields: str) -> Order:
    """Order what is in the cart; returns the order."""
    answer = client.post("/checkout/", {**GUEST, "token": token_of(client), **fields})
    assert answer.status_code == 302, answer.context["form"].errors
    return Order.objects.get(public_id=answer["Location"].split("/")[2])


def make_order(
    variant: Variant, *, quantity: int = 1, status: str = "awaiting_payment", **fields: Any
) -> Order:
    """Insert an order as if it had been placed; its units have left the stock before."""
    values: dict[str, Any] = {
        "email": "ada@example.com",
        "status": status,
        "delivery": 490,
        "total": variant.price * quantity + 490,
        "pay_by": timezone.now() + timedelta(minutes=30),
        **ADDRESS,
        **fields,
    }
    order = Order.objects.create(**values)
    order.lines.create(
        variant=variant, title=str(variant), sku=variant.sku, price=variant.price, quantity=quantity
    )
    return order
