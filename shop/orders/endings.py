"""How an order ends unpaid: cancelled, or expired. Its units go back exactly once."""

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from shop.orders import holds, letters
from shop.orders.errors import NotCancellable
from shop.orders.models import Order, OutboxMail

BATCH = 500


def cancel(*, order: Order) -> None:
    """Cancel an order that awaits its payment and free its units; raises NotCancellable otherwise."""
    with transaction.atomic():
        locked = Order.objects.select_for_update(of=("self",), no_key=True).get(pk=order.pk)
        if locked.status != Order.Status.AWAITING_PAYMENT:
            raise NotCancellable(_not_any_more(locked))
        _end(locked, status=Order.Status.CANCELLED, kind=OutboxMail.Kind.CANCELLED)


def expire_due(*, limit: int = BATCH) -> int:
    """Expire ordinary orders that were not paid in time (a sale expires its own); return how many."""
    count = 0
    while count < limit and _expire_next():
        count += 1
    return count


def _expire_next() -> bool:
    # One order in one transaction: a payment that holds an order's lock right now is not waited for (it is
    # skipped and looked at in the next round), and whoever comes second finds it not awaiting payment any
    # more.
    with transaction.atomic(durable=True):
        due = Order.objects.filter(
            status=Order.Status.AWAITING_PAYMENT, hold=Order.Hold.STOCK, pay_by__lt=Now()
        )
        order = due.select_for_update(skip_locked=True, of=("self",), no_key=True).order_by("pay_by").first()
        if order is None:
            return False
        _end(order, status=Order.Status.EXPIRED, kind=OutboxMail.Kind.EXPIRED)
        return True


def _end(order: Order, *, status: str, kind: str) -> None:
    order.status = status
    order.save(update_fields=["status"])
    holds.of(order).release(order=order)
    letters.put(order=order, kind=kind)


def _not_any_more(order: Order) -> str:
    sentences = {
        Order.Status.PAID: _("This order is paid. Write to us if you want to send something back."),
        Order.Status.SHIPPED: _("This order has left the shop. Write to us if you want to send it back."),
        Order.Status.CANCELLED: _("This order was cancelled already."),
        Order.Status.EXPIRED: _("The time to pay this order has ended, and with it the order."),
    }
    return sentences[Order.Status(order.status)]
