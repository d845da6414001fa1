"""Celery's front door to the sale: each task calls one service and may run twice."""

from celery import shared_task
from django.utils import timezone

from flashsale import (
    blocked,
    drafts,
    draining,
    reconcile,
    reminders,
    reservations,
    sampling,
    scheduling,
    shedding,
    standby,
    transfers,
)
from flashsale.cockpit import pushing
from flashsale.models import Sale
from flashsale.rehearsal import kept


@shared_task
def drain_reservations() -> int:
    """Record what the streams hold."""
    return draining.drain()


@shared_task
def expire_reservations() -> int:
    """Expire what was not paid in time; tell the store and standby what a crash left untold."""
    count = reservations.expire_due()
    reservations.tell_store()
    standby.close_all_paid()
    return count


@shared_task
def warm_sales() -> None:
    """Bring scheduled sales into the store before they open, their settings and the blocked up to date."""
    blocked.push()
    for sale_id in Sale.objects.filter(state=Sale.State.SCHEDULED).values_list("pk", flat=True):
        scheduling.warm(sale_id=sale_id)


@shared_task
def close_sales() -> None:
    """Return what ended sales have not sold."""
    ended = Sale.objects.filter(state=Sale.State.SCHEDULED, closes_at__lt=timezone.now())
    for sale_id in ended.values_list("pk", flat=True):
        scheduling.close(sale_id=sale_id)


@shared_task
def reconcile_sales() -> None:
    """Compare both stores for every running sale, repair what is safe, and log both numbers."""
    for sale_id in Sale.objects.filter(state=Sale.State.SCHEDULED).values_list("pk", flat=True):
        reconcile.repair(sale_id=sale_id)


@shared_task
def sample_sales() -> int:
    """Keep what the running sales look like now, for the operators' charts."""
    return sampling.take()


@shared_task
def purge_drafts() -> int:
    """Delete for good the drafts that were deleted thirty days ago."""
    return drafts.purge()


@shared_task
def tell_operators() -> int:
    """Push the figures of the sales that somebody watches."""
    return pushing.tell()


@shared_task
def remind_shoppers() -> None:
    """Write the mails that people asked for before a sale opens."""
    reminders.put_due()


@shared_task
def work_out_shedding() -> None:
    """Tell the edge with which chance to forward; does nothing where no node reports."""
    shedding.work_out()


@shared_task
def play_rehearsal(rehearsal_id: int) -> None:
    """Play a rehearsal that somebody asked for in the admin."""
    kept.play(rehearsal_id)


@shared_task
def move_units() -> int:
    """Go on with the units that move between regions."""
    return transfers.go_on_with_all()
