"""Whose orders are shown to whom: a shopper's own, and those that this browser placed as a guest."""

from uuid import UUID

from django.core import signing
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.crypto import constant_time_compare

from shop.orders.models import Order

KEY = "orders"
KEPT = 50
"""So many orders of a guest are remembered in the session."""
SALT = "shop.orders.link"


def orders_of(request: HttpRequest) -> QuerySet[Order]:
    """Return the orders that whoever asks may see and pay."""
    placed_here = Q(user=None, public_id__in=request.session.get(KEY, []))
    if request.user.is_authenticated:
        return Order.objects.filter(Q(user=request.user.pk) | placed_here)
    return Order.objects.filter(placed_here)


def order_of(request: HttpRequest, public_id: UUID) -> Order:
    """Return one of them; somebody else's order is not found."""
    return get_object_or_404(orders_of(request), public_id=public_id)


def remember(request: HttpRequest, public_id: str) -> None:
    """Let this browser see an order that a guest placed."""
    known = request.session.get(KEY, [])
    if public_id not in known:
        request.session[KEY] = [*known, public_id][-KEPT:]


def path(order: Order) -> str:
    """Return the address of the order's page for a mail; a guest's bears a key, so that it opens anywhere."""
    page = order.get_absolute_url()
    return (
        page if order.user_id else f"{page}?key={signing.Signer(salt=SALT).signature(str(order.public_id))}"
    )


def unlock(request: HttpRequest, public_id: UUID, key: str) -> None:
    """Remember a guest's order whose key came by mail; a key that is not its own finds nothing."""
    expected = signing.Signer(salt=SALT).signature(str(public_id))
    if not constant_time_compare(key, expected):
        raise Http404
    remember(request, str(public_id))
