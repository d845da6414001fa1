"""Standby: until when it can still happen, and how it ends for those who got nothing."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.db.models.functions import Now
from redis.exceptions import RedisError

from accounts.models import User
from flashsale import letters, results, stock
from flashsale.models import Reservation, Sale, SaleItem, StandbyEntry
from flashsale.results import Result

BATCH = 500
Status = StandbyEntry.Status


def latest_chance(item: SaleItem) -> datetime | None:
    """Return the last instant at which a unit can still come free; None as far as the rows know of none.

    That is the last deadline of those who hold one, or the end of the sale if that is earlier.
    """
    held = Reservation.objects.filter(item=item, status=Reservation.Status.HELD)
    last: datetime | None = held.aggregate(last=Max("pay_by"))["last"]
    return min(last, item.sale.closes_at) if last else None


def positions(places: Iterable[StandbyEntry]) -> list[tuple[StandbyEntry, int | None]]:
    """Say of each place how many it is from the front, 1 for the next; None where the store does not tell."""
    rows = list(places)
    try:
        found = stock.run_all([stock.place(row.item.sale_id, row.item_id, user=row.user_id) for row in rows])
    except RedisError:
        found = [None] * len(rows)
    return [(row, one.position or None if one else None) for row, one in zip(rows, found, strict=True)]


def leave(*, user: User, item: SaleItem) -> bool:
    """Give up a place; the next moves up in the same step. False if there was none. Raises RedisError."""
    return stock.run(stock.leave(item.sale_id, item.pk, user=user.pk))


def close_all_paid(*, limit: int = BATCH) -> int:
    """Tell those who still wait for an item of which every unit is paid; return how many were told.

    A place that is recorded after the last payment is found by the next look.
    """
    waiting = StandbyEntry.objects.filter(
        status=Status.WAITING,
        item__sale__state=Sale.State.SCHEDULED,
        item__quantity=F("item__paid") + F("item__returned"),
    )
    with transaction.atomic(durable=True):
        return len(_close(waiting.order_by("pk")[:limit], all_paid=True))


def close_ended(*, sale: Sale) -> int:
    """Tell those who still wait in a sale that has ended, in the caller's transaction; return how many."""
    waiting = StandbyEntry.objects.filter(status=Status.WAITING, item__sale=sale)
    return len(_close(waiting.order_by("pk"), all_paid=False))


def _close(waiting: QuerySet[StandbyEntry], *, all_paid: bool) -> Sequence[StandbyEntry]:
    # A second worker waits for the rows of the first, finds them closed, and tells nobody again.
    rows = list(waiting.select_for_update(of=("self",), no_key=True))
    StandbyEntry.objects.filter(pk__in=[row.pk for row in rows]).update(status=Status.CLOSED, ended_at=Now())
    items = SaleItem.objects.select_related("sale", "variant__product")
    known = items.in_bulk({row.item_id for row in rows})
    letters.put_standby_over(known, rows, all_paid=all_paid)
    news = [Result(known[row.item_id].sale_id, row.user_id, "over", row.item_id) for row in rows]
    transaction.on_commit(partial(results.tell, news))
    return rows
