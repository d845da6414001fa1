"""Asking the provider how a payment stands: when the shopper comes back, or its webhook stays away."""

import logging
from datetime import timedelta

from django.utils import timezone
from payments import PaymentError, PaymentStatus
from payments.core import provider_factory

from shop.orders import payment as payments
from shop.orders import payment_states
from shop.orders.models import Order, Payment
from shop.orders.payment import Report
from shop.orders.providers import StripeProvider, report

logger = logging.getLogger(__name__)

QUIET, GIVE_UP = timedelta(seconds=30), timedelta(hours=24)


def ask(payment: Payment) -> None:
    """Ask the provider and take in its answer; without one, the webhook or the next round will tell.

    A payment whose order has ended unpaid, or was paid by another one, is closed at the provider.
    """
    provider = provider_factory(payment.variant, payment)
    if not payment.transaction_id or not isinstance(provider, StripeProvider):
        return
    try:
        news = report(provider.session(payment))
        if news is None and payment.order.status != Order.Status.AWAITING_PAYMENT:
            provider.close(payment)
            news = Report(token=payment.token, status=PaymentStatus.CANCELLED)
    except PaymentError as error:
        logger.warning("payment %s: the provider does not answer: %s", payment.pk, error)
        return
    if news is not None and news.token == payment.token:
        payments.hear(news)


def ask_about_open(*, limit: int = 20) -> None:
    """Ask about payments whose provider has said nothing for half a minute, for a day."""
    now = timezone.now()
    silent = Payment.objects.filter(
        status__in=payment_states.OPEN, modified__lt=now - QUIET, created__gt=now - GIVE_UP
    ).exclude(transaction_id="")
    for payment in silent.select_related("order").order_by("modified")[:limit]:
        Payment.objects.filter(pk=payment.pk).update(modified=now)
        ask(payment)
