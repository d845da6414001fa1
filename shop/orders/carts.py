"""The cart: a shopper's own, or a guest's, which is found by a key in the session and merged after login."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Sum
from django.http import HttpRequest

from accounts.models import User
from shop.catalogue.models import Product, Variant
from shop.orders.errors import NotEnough, shortage
from shop.orders.models import Cart, CartLine

KEY = "cart"
COUNT = "cart_count"
MOST = 99
"""Units of one variant in one cart."""


@dataclass(frozen=True)
class Sums:
    """What a cart costs, in minor units, and whether something of it is sent to an address."""

    goods: int
    delivery: int
    is_shipped: bool

    @property
    def total(self) -> int:
        return self.goods + self.delivery


def of(request: HttpRequest) -> Cart | None:
    """Return the cart of whoever asks, if there is one. After a login the guest's cart is merged into it."""
    guest = request.session.get(KEY)
    if isinstance(request.user, User):
        if guest:
            _merge(key=UUID(guest), user=request.user)
            del request.session[KEY]
        return Cart.objects.filter(user=request.user).first()
    return Cart.objects.filter(key=guest, user=None).first() if guest else None


def source(request: HttpRequest) -> str:
    """Name who asks, for `idempotency.Key`: the user, or the guest by the cart's key or the session."""
    if request.user.is_authenticated:
        return f"user:{request.user.pk}"
    return f"guest:{request.session.get(KEY) or request.session.session_key}"


def lines(cart: Cart | None) -> list[CartLine]:
    """Return the lines with variant, product and pictures: two queries."""
    if cart is None:
        return []
    found = cart.lines.select_related("variant__product").prefetch_related("variant__product__images")
    return list(found.filter(variant__product__published=True))


def sums(lines: Sequence[CartLine]) -> Sums:
    """Add up what the lines cost now; delivery is one flat price wherever something is sent."""
    goods = sum(line.variant.price * line.quantity for line in lines)
    is_shipped = any(line.variant.product.kind == Product.Kind.SHIPPED for line in lines)
    return Sums(goods=goods, delivery=settings.DELIVERY_PRICE if is_shipped else 0, is_shipped=is_shipped)


def opened(request: HttpRequest) -> Cart:
    """Return the cart of whoever asks; a new one if there is none."""
    cart = of(request)
    if cart is None and isinstance(request.user, User):
        return opened_for(request.user)
    if cart is None:
        cart = Cart.objects.create()
        request.session[KEY] = str(cart.key)
    return cart


def opened_for(user: User) -> Cart:
    """Return the shopper's cart; a new one if there is none."""
    return Cart.objects.get_or_create(user=user)[0]


def add(*, cart: Cart, variant: Variant, quantity: int) -> None:
    """Put so many more into the cart; raises NotEnough. The stock is only looked at: checkout takes it."""
    with transaction.atomic():
        _lock(cart)
        line = cart.lines.filter(variant=variant).first() or CartLine(cart=cart, variant=variant, quantity=0)
        line.quantity = _allowed(variant=variant, quantity=line.quantity + quantity)
        line.save()


def update(*, cart: Cart, variant_id: int, quantity: int) -> None:
    """Set how many of a variant are in the cart, 0 for none; raises NotEnough. No line, nothing to do."""
    with transaction.atomic():
        _lock(cart)
        line = cart.lines.filter(variant_id=variant_id).select_related("variant__product").first()
        if line and quantity:
            line.quantity = _allowed(variant=line.variant, quantity=quantity)
            line.save(update_fields=["quantity"])
        elif line:
            line.delete()


def count(request: HttpRequest, cart: Cart | None) -> None:
    """Remember in the session how many things are in the cart, so that the header needs no query.

    It is a hint: another device may have changed the cart since, which its page then shows.
    """
    total = cart.lines.aggregate(total=Sum("quantity"))["total"] if cart else 0
    if request.session.get(COUNT, 0) != (total or 0):
        request.session[COUNT] = total or 0


def _lock(cart: Cart) -> None:
    # Two windows of one shopper, or his checkout, may change the same cart: one after the other.
    Cart.objects.select_for_update(of=("self",), no_key=True).get(pk=cart.pk)


def _allowed(*, variant: Variant, quantity: int) -> int:
    if quantity > variant.stock:
        raise NotEnough(shortage(title=str(variant), left=variant.stock))
    return min(quantity, MOST)


def _merge(*, key: UUID, user: User) -> None:
    """Move a guest's lines into the shopper's cart; a second request at once finds none to move."""
    own = opened_for(user)
    with transaction.atomic():
        both = Cart.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
        guest = next(
            (cart for cart in both.filter(pk=own.pk) | both.filter(key=key, user=None) if cart != own), None
        )
        if guest is None:
            return
        mine = {line.variant_id: line for line in own.lines.all()}
        for line in guest.lines.all():
            kept = mine.get(line.variant_id) or CartLine(cart=own, variant_id=line.variant_id, quantity=0)
            kept.quantity = min(kept.quantity + line.quantity, MOST)
            kept.save()
        guest.delete()
