"""The mails that an order writes, and what they know of it."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override

from shop.orders import access, holds, outbox
from shop.orders.models import Order, OrderLine, Payment


def put(*, order: Order, kind: str) -> None:
    """Write the mail of this kind about this order into the outbox, in the caller's transaction."""
    outbox.put(
        ref=str(order.public_id), kind=kind, to=order.email, language=order.language, context=context(order)
    )


def put_refund(*, order: Order, payment: Payment, amount: int) -> None:
    """Tell that `amount` (minor units) of this payment is on its way back: one mail for each payment."""
    outbox.put(
        ref=payment.token,
        kind="refunded",
        to=order.email,
        language=order.language,
        context={**context(order), "amount": amount},
    )


def context(order: Order) -> dict[str, Any]:
    """Return what a mail says of an order; amounts in minor units, times in ISO 8601."""
    lines = list(order.lines.select_related("variant"))
    return {
        "number": order.number,
        "title": title(order, [line.title for line in lines]),
        "lines": [_line(line) for line in lines],
        "delivery": order.delivery,
        "price": order.total,
        "pay_by": order.pay_by.isoformat(),
        "path": access.path(order),
        "ids": holds.of(order).ids(order=order),
    }


def _line(line: OrderLine) -> dict[str, Any]:
    """A line in words and minor units; of a slot also where and when."""
    words: dict[str, Any] = {"title": line.title, "quantity": line.quantity, "price": line.price}
    if line.variant and line.variant.slot_starts_at:
        words |= {"starts_at": line.variant.slot_starts_at.isoformat(), "place": line.variant.slot_place}
    return words


def title(order: Order, titles: list[str]) -> str:
    """Return the order in a few words, in its language: “Lamp”, “Lamp and 2 more”."""
    with override(order.language):
        if len(titles) == 1:
            return titles[0]
        if not titles:
            return _("Order %(number)s") % {"number": order.number}
        return _("%(first)s and %(number)s more") % {"first": titles[0], "number": len(titles) - 1}
