"""Money that goes back: late, double or wrong payments, each once, tried until the provider takes it."""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now
from payments import PaymentStatus
from payments.core import provider_factory

from shop.orders import holds
from shop.orders.models import Order, Payment

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=2)
BASE, CAP = timedelta(seconds=10), timedelta(hours=6)


def send_due(*, limit: int = 20) -> int:
    """Send back what is due, one payment after another; return how many the provider has taken."""
    return sum(_send(payment) for payment in _claim(limit))


def _claim(limit: int) -> list[Payment]:
    # Two workers never refund the same payment: each pushes the next try of what it took ahead. After a crash
    # the lease ends and it is sent again, with the same idempotency key, so that the provider still pays
    # once.
    with transaction.atomic(durable=True):
        due = Payment.objects.filter(status=PaymentStatus.CONFIRMED, refund_next_try_at__lte=Now())
        rows = list(due.select_for_update(skip_locked=True, of=("self",), no_key=True).order_by("pk")[:limit])
        Payment.objects.filter(pk__in=[row.pk for row in rows]).update(refund_next_try_at=Now() + LEASE)
    return rows


def _send(payment: Payment) -> bool:
    try:
        provider_factory(payment.variant, payment).refund(payment, payment.captured_amount)
    except Exception:  # whatever the provider's client raises: the money is still owed
        logger.exception("payment %s could not be refunded (try %s)", payment.pk, payment.refund_tries + 1)
        _put_off(payment)
        return False
    _finish(payment)
    return True


def _put_off(payment: Payment) -> None:
    wait = min(CAP, BASE * 2 ** min(payment.refund_tries, 12))
    Payment.objects.filter(pk=payment.pk).update(
        refund_next_try_at=Now() + wait, refund_tries=payment.refund_tries + 1
    )


def _finish(payment: Payment) -> None:
    with transaction.atomic(durable=True):
        order = Order.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.order_id)
        payment.change_status(PaymentStatus.REFUNDED)
        Payment.objects.filter(pk=payment.pk).update(refund_next_try_at=None, captured_amount=0)
    logger.info("payment refunded", extra=holds.of(order).ids(order=order))
