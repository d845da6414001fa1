"""Celery's front door to orders. Every task may run twice, or beside itself, and nothing more happens."""

from threading import BoundedSemaphore

from celery import shared_task
from django.conf import settings

from shop.orders import endings, idempotency, outbox, polling, refunds, stock_notices

_senders = BoundedSemaphore(settings.MAIL_SENDERS)


@shared_task
def send_mail() -> None:
    """Send what is due in the outbox, unless as many threads of this worker as may are at it.

    Each tick would take another thread while a mail server hangs, until none is left for orders; whatever is
    not sent now is found by the next tick.
    """
    if not _senders.acquire(blocking=False):
        return
    try:
        outbox.send_due()
    finally:
        _senders.release()


@shared_task
def expire_unpaid_orders() -> None:
    """End ordinary orders whose time to pay is over."""
    endings.expire_due()


@shared_task
def send_refunds() -> None:
    """Send back money that came late, twice or in the wrong amount."""
    refunds.send_due()


@shared_task
def poll_payments() -> None:
    """Ask providers about payments of which they have not told us."""
    polling.ask_about_open()


@shared_task
def forget_used_answers() -> None:
    """Delete answers that nobody will ask for again."""
    idempotency.forget()


@shared_task
def tell_what_is_back() -> None:
    """Write the mails about what can be bought again."""
    stock_notices.put_due()
