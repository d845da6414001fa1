"""Order again: what an order had goes into the cart, as far as it can still be had, at today's prices."""

from django.db import transaction

from shop.orders import carts
from shop.orders.errors import NotEnough
from shop.orders.models import Cart, Order, OrderLine


def put_into(*, cart: Cart, order: Order) -> list[str]:
    """Put the lines of an order into the cart; return the titles of those that cannot be had as they were."""
    with transaction.atomic():
        lines = list(order.lines.select_related("variant__product"))
        return [line.title for line in lines if not _put(cart, line)]


def _put(cart: Cart, line: OrderLine) -> bool:
    variant = line.variant
    if variant is None or not variant.product.published:
        return False
    try:
        carts.add(cart=cart, variant=variant, quantity=line.quantity)
    except NotEnough:
        return False
    return True
