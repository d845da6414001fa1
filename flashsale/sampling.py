"""Looks at the running sales once a second and keeps what it saw: the time series of the cockpit's charts."""

from datetime import UTC, datetime, timedelta

from django.utils import timezone
from redis.exceptions import RedisError

from flashsale import stock, stream
from flashsale.models import Reservation, Sale, Sample
from flashsale.replies import Status

BEFORE = timedelta(minutes=10)
SHOWN = 3600
"""Looks that a page draws: an hour in which something happens every second."""
COUNTED = ("outcomes", "refused")
SAME = ("free", "held", "paid", "returned", "standby", "issued", "served", "unrecorded", *COUNTED)


def take() -> int:
    """Look at every sale that is about to open or not wholly over; return how many rows were written.

    A look that shows nothing new writes nothing, so that a quiet sale costs no rows. A silent store is
    asked again in a second: the gap in the chart is the truth.
    """
    now = timezone.now()
    live = Sale.objects.filter(state=Sale.State.SCHEDULED, opens_at__lt=now + BEFORE)
    written = 0
    for sale in live.prefetch_related("items"):
        try:
            sample = look(sale)
        except RedisError:
            continue
        written += bool(sample and _keep(sample))
    return written


def look(sale: Sale) -> Sample | None:
    """Return what both stores say of a sale now, unsaved; None where its memory does not know it.

    Raises RedisError.
    """
    status = stock.run(stock.status(sale.pk, [item.pk for item in sale.items.all()]))
    if status is None:
        return None
    flow = stock.run(stock.flow(sale.pk))
    left = stream.backlog(sale.pk)
    return Sample(
        sale=sale,
        at=datetime.fromtimestamp(status.now / 1000, tz=UTC),
        outcomes=flow.outcomes,
        refused=flow.refused,
        shoppers=flow.shoppers,
        tries=flow.tries if any(flow.tries) else [],
        issued=status.queue.tickets if status.queue else 0,
        served=status.queue.served(status.now) if status.queue else 0,
        unrecorded=left.unread + left.pending,
        oldest_unrecorded=left.oldest_ms,
        recorded=Reservation.objects.filter(item__sale=sale).count(),
        **_units(status),
    )


def _units(status: Status) -> dict[str, int]:
    names = ("free", "held", "paid", "returned", "standby")
    return {name: sum(getattr(one, name) for one in status.items.values()) for name in names}


def _keep(sample: Sample) -> bool:
    """Write a look unless it says what the last one said; the last two of a quiet time mark its ends."""
    last = list(Sample.objects.filter(sale=sample.sale).order_by("-at", "-pk")[:2])
    if last and sample.at <= last[0].at:
        return False
    if len(last) == 2 and _is_same(sample, last[0]) and _is_same(last[0], last[1]):
        Sample.objects.filter(pk=last[0].pk).update(at=sample.at)
        return False
    sample.save()
    return True


def _is_same(one: Sample, other: Sample) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in SAME)
