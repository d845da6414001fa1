"""From a cart to an order: one transaction takes token, stock and cart, and writes order and mail."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db.models.functions import Now

from accounts.models import User
from shop.catalogue import stock
from shop.catalogue.errors import OutOfStock
from shop.orders import carts, idempotency, letters, payment
from shop.orders.errors import EmptyCart, PriceChanged, not_enough
from shop.orders.idempotency import Answer, Key
from shop.orders.models import Cart, CartLine, Order, OrderLine, OutboxMail


@dataclass(frozen=True)
class Draft:
    """An order as the shopper wants it. `total` is the sum he saw, in minor units."""

    cart: Cart
    email: str
    total: int
    language: str
    user: User | None = None
    address: Mapping[str, str] = field(default_factory=dict)


def place(*, key: Key, draft: Draft, tell: Callable[[Order], Answer], wait: bool = True) -> Answer:
    """Place the order once: a repeat of `key` gets the stored answer. `tell` makes the answer of a new order.

    Raises NotEnough, EmptyCart or PriceChanged; then nothing was taken and the key can be used again. See
    `idempotency.once` for `wait` and for what a repeat may raise.
    """
    try:
        return idempotency.once(key=key, act=lambda: tell(_place(draft)), wait=wait)
    except OutOfStock as trouble:
        raise not_enough(trouble) from trouble


def _place(draft: Draft) -> Order:
    # The cart's row is locked first: of two windows that order the same cart, the second finds it empty.
    cart = Cart.objects.select_for_update(of=("self",), no_key=True).get(pk=draft.cart.pk)
    lines = carts.lines(cart)
    sums = carts.sums(lines)
    if not lines:
        raise EmptyCart
    if sums.total != draft.total:
        raise PriceChanged
    stock.take({line.variant_id: line.quantity for line in lines})
    order = _insert(draft, lines, sums)
    cart.lines.all().delete()
    if order.total == 0:
        payment.confirm_free(order=order)
    else:
        letters.put(order=order, kind=OutboxMail.Kind.RECEIVED)
    return order


def _insert(draft: Draft, lines: Sequence[CartLine], sums: carts.Sums) -> Order:
    order = Order.objects.create(
        user=draft.user,
        email=draft.email,
        language=draft.language,
        delivery=sums.delivery,
        total=sums.total,
        pay_by=Now() + timedelta(seconds=settings.ORDER_PAY_WITHIN),
        **(draft.address if sums.is_shipped else {}),
    )
    order.refresh_from_db(fields=["pay_by"])
    OrderLine.objects.bulk_create(_line(order, line) for line in lines)
    return order


def _line(order: Order, line: CartLine) -> OrderLine:
    return OrderLine(
        order=order,
        variant=line.variant,
        title=str(line.variant),
        sku=line.variant.sku,
        price=line.variant.price,
        quantity=line.quantity,
    )
