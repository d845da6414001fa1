"""What money means for an order: the only place where an order becomes paid, or money must go back.

Lock order: the order, then the payment, then whoever holds the units. No provider is called from here.
"""

import logging
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from payments import PaymentStatus

from shop import money
from shop.orders import holds, letters, payment_states
from shop.orders.errors import NotPayable
from shop.orders.models import Order, OutboxMail, Payment, ProviderEvent

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Report:
    """What a provider says of a payment; `amount` in minor units, `event` its own number if there is one."""

    token: str
    status: str
    amount: int = 0
    currency: str = ""
    message: str = ""
    provider: str = ""
    event: str = ""


def start(*, order: Order, variant: str) -> Payment:
    """Return the payment to go on with: the open one of this variant, else a new one. Raises NotPayable.

    A second press, or a second window, thus ends at the same payment, which the provider takes only once.
    """
    with transaction.atomic():
        order = _lock_order(order.pk)
        if order.status != Order.Status.AWAITING_PAYMENT or not _in_time(order) or not order.total:
            raise NotPayable(_("This order cannot be paid any more. Its page says why."))
        open_ones = order.payments.filter(variant=variant, status__in=payment_states.OPEN)
        return open_ones.first() or _insert(order, variant)


def hear(report: Report) -> Payment:
    """Take in what the provider says, any number of times and in any order. Raises Payment.DoesNotExist.

    Money that comes in time pays the order. Money that comes late, twice or in the wrong amount is to be sent
    back.
    """
    order_id = Payment.objects.values_list("order_id", flat=True).get(token=report.token)
    with transaction.atomic(durable=True):
        order = _lock_order(order_id)
        payment = _lock_payments(order).get(token=report.token)
        if report.event and not _is_news(report):
            return payment
        payment.change_status(report.status, report.message)
        if payment.status == PaymentStatus.CONFIRMED and payment.settled_at is None:
            _settle(order, payment, report)
        return payment


def confirm_free(*, order: Order) -> None:
    """Confirm an order that costs nothing and that the caller has locked or inserted; raises NotPayable."""
    if order.total or order.status != Order.Status.AWAITING_PAYMENT or not _take(order):
        raise NotPayable(_("This order cannot be confirmed any more. Its page says why."))


def confirm(*, order: Order) -> None:
    """Confirm a free order that waits for the shopper's word, as those of a sale do; raises NotPayable."""
    with transaction.atomic(durable=True):
        confirm_free(order=_lock_order(order.pk))


def _settle(order: Order, payment: Payment, report: Report) -> None:
    # Expiry, cancellation and other payments of this order wait for its lock: exactly one of them moves it
    # out of "awaiting payment", and money that comes after that one is sent back.
    is_right = report.amount == payment.amount and report.currency.upper() == payment.currency
    if not is_right:
        logger.error(
            "payment %s: %s %s instead of what was asked", payment.pk, report.amount, report.currency
        )
    Payment.objects.filter(pk=payment.pk).update(settled_at=Now(), captured_amount=money.major(report.amount))
    if is_right and order.status == Order.Status.AWAITING_PAYMENT and _take(order):
        return
    Payment.objects.filter(pk=payment.pk).update(refund_next_try_at=Now())
    letters.put_refund(order=order, payment=payment, amount=report.amount)


def _take(order: Order) -> bool:
    """Make the order paid if its time is not over and its units are there; its row is locked."""
    if not _in_time(order) or not holds.of(order).pay(order=order):
        return False
    Order.objects.filter(pk=order.pk).update(status=Order.Status.PAID, paid_at=Now())
    order.refresh_from_db(fields=["status", "paid_at"])
    letters.put(order=order, kind=OutboxMail.Kind.PAID)
    return True


def _in_time(order: Order) -> bool:
    # One clock decides deadlines: PostgreSQL's, read after the lock was got.
    return Order.objects.filter(pk=order.pk, pay_by__gte=Now()).exists()


def _is_news(report: Report) -> bool:
    event, created = ProviderEvent.objects.get_or_create(provider=report.provider, event_id=report.event)
    if not created:
        logger.info("event %s was heard before", event)
    return created


def _lock_order(pk: int) -> Order:
    return Order.objects.select_for_update(of=("self",), no_key=True).get(pk=pk)


def _lock_payments(order: Order) -> QuerySet[Payment]:
    return order.payments.select_for_update(of=("self",), no_key=True).order_by("pk")


def _insert(order: Order, variant: str) -> Payment:
    payment: Payment = Payment.objects.create(
        order=order,
        variant=variant,
        currency=settings.SHOP_CURRENCY,
        total=money.major(order.total),
        delivery=money.major(order.delivery),
        description=_("Order %(number)s") % {"number": order.number},
        billing_email=order.email,
    )
    return payment
