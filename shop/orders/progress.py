"""What the pages of an order say of it: its steps, its lines, its clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from payments import PaymentStatus

from shop.catalogue.models import Product
from shop.orders.models import Order, OrderLine, Payment

Status = Order.Status


@dataclass(frozen=True)
class Step:
    """A step of an order: `state` is done, now, next or lost."""

    text: str
    state: str
    when: datetime | None = None


@dataclass(frozen=True)
class Money:
    """How the order's money stands, as the shopper must know: asking, refused, returning, returned."""

    state: str
    amount: int = 0


def lines(order: Order) -> list[OrderLine]:
    """Return the lines with product and pictures: two queries."""
    return list(order.lines.select_related("variant__product").prefetch_related("variant__product__images"))


def kinds(lines: Sequence[OrderLine]) -> set[str]:
    """Return which kinds of product are among the lines: shipped, collected, slot."""
    return {line.variant.product.kind for line in lines if line.variant}


def steps(order: Order, kinds: set[str]) -> list[Step]:
    """Return the steps from "ordered" to the last one that this order can reach."""
    ordered = Step(_("Ordered"), "done", order.created_at)
    if order.status == Status.CANCELLED:
        return [ordered, Step(_("Cancelled"), "lost")]
    if order.status == Status.EXPIRED:
        return [ordered, Step(_("Not paid in time"), "lost", order.pay_by)]
    paid = Step(
        _("Paid") if order.total else _("Confirmed"), "done" if order.paid_at else "now", order.paid_at
    )
    return [ordered, paid, _last(order, kinds)]


def _last(order: Order, kinds: set[str]) -> Step:
    if order.status == Status.SHIPPED:
        return Step(_("Shipped"), "done", order.shipped_at)
    text = _("Shipped") if Product.Kind.SHIPPED in kinds else _("Collected")
    if kinds == {Product.Kind.SLOT}:
        text = _("Your slot")
    return Step(text, "now" if order.status == Status.PAID else "next")


def money(order: Order) -> Money:
    """Return how the latest payment stands; an order without one has nothing to tell."""
    payment = order.payments.first()
    if payment is None:
        return Money("")
    returning = [one for one in order.payments.all() if one.refund_next_try_at]
    if returning:
        return Money("returning", sum(one.captured for one in returning))
    return Money(_state(payment), payment.amount)


def _state(payment: Payment) -> str:
    if payment.status == PaymentStatus.REFUNDED:
        return "returned"
    if payment.status in (PaymentStatus.REJECTED, PaymentStatus.ERROR):
        return "refused"
    return "asking" if payment.is_open and payment.transaction_id else ""


def clock(until: datetime) -> str:
    """Return the time left as `09:59`, or `01:09:59`; `00:00` when it is over."""
    left = max(int((until - timezone.now()) / timedelta(seconds=1)), 0)
    minutes, seconds = divmod(left, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"


def masked(email: str) -> str:
    """Return an address that its owner knows again and nobody else can use: `m•••@example.com`."""
    name, _at, host = email.partition("@")
    return f"{name[:1]}•••@{host}"
