"""Empties the streams of the sales into the database, batch by batch."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone
from django_redis import get_redis_connection
from redis.exceptions import LockError
from redis.lock import Lock

from flashsale import recording, stream
from flashsale.models import ParkedEntry, Sale
from flashsale.stream import Entry

logger = logging.getLogger(__name__)
LEASE_SECONDS = 20
RUN_SECONDS = 10.0
CLAIM_EVERY = 2.0
DELIVERIES_AT_MOST = 5
REMEMBER = timedelta(days=2)


def drain(*, seconds: float = RUN_SECONDS) -> int:
    """Record what the streams hold and what comes in the next `seconds`; return how many entries.

    Several workers drain side by side, each under a consumer name of its own: a slot leased in the store,
    free again when the worker dies. With all slots taken there is nothing to do.
    """
    taken = _take_slot()
    if taken is None:
        return 0
    slot, lease = taken
    try:
        return _drain_as(f"worker-{slot}", until=time.monotonic() + seconds)
    finally:
        # Only if it is still ours: a store that was emptied meanwhile has given the slot to somebody else.
        # Freeing his would let one drain more run each time, until they keep all other tasks waiting.
        with suppress(LockError):
            lease.release()


def drain_once(*, sale_id: int, consumer: str = "by-hand") -> int:
    """Record all that one sale's stream holds now, other workers' leftovers included; return how many."""
    total = 0
    while True:
        entries = stream.claim(sale_id, consumer=consumer, count=settings.ORDER_BATCH_SIZE, idle_ms=0)
        entries += stream.read([sale_id], consumer=consumer, count=settings.ORDER_BATCH_SIZE).get(sale_id, [])
        left = stream.backlog(sale_id)
        if entries:
            _record(sale_id, entries)
            total += len(entries)
        if not entries or left == stream.backlog(sale_id):
            return total


def active_sales() -> list[int]:
    """Return the sales whose streams may hold something."""
    recent = Sale.objects.exclude(state=Sale.State.DRAFT).filter(closes_at__gt=timezone.now() - REMEMBER)
    return list(recent.order_by("pk").values_list("pk", flat=True))


def is_at_work() -> bool:
    """Whether a worker drains the streams just now. Raises RedisError."""
    client = get_redis_connection("sale")
    return bool(client.exists(*(_slot_key(slot) for slot in range(settings.DRAIN_SLOTS))))


def _slot_key(slot: int) -> str:
    return f"fs:drain:{slot}"


def _take_slot() -> tuple[int, Lock] | None:
    client = get_redis_connection("sale")
    for slot in range(settings.DRAIN_SLOTS):
        lease: Lock = client.lock(_slot_key(slot), timeout=LEASE_SECONDS)
        if lease.acquire(blocking=False):
            return slot, lease
    return None


def _drain_as(consumer: str, *, until: float) -> int:
    total, size, claim_at = 0, settings.ORDER_BATCH_SIZE, 0.0
    sales: list[int] = []
    while (now := time.monotonic()) < until:
        if now >= claim_at:
            sales, claim_at = active_sales(), now + CLAIM_EVERY
            batches = {sale: stream.claim(sale, consumer=consumer, count=size) for sale in sales}
        elif sales:
            batches = stream.read(sales, consumer=consumer, count=size, block_ms=500)
        else:
            break
        for sale_id, entries in batches.items():
            if entries:
                _record(sale_id, entries)
                _keep_pace(len(entries), time.monotonic() - now)
        total += sum(map(len, batches.values()))
    return total


def _record(sale_id: int, entries: Sequence[Entry]) -> None:
    """Record and acknowledge; a batch that fails is halved until the one bad entry stands alone.

    Dying between the commit and the acknowledgement is safe: the entries come again, and their rids are
    there already.
    """
    ids = [entry.id for entry in entries]
    try:
        recording.record(sale_id=sale_id, entries=entries)
    except (OperationalError, InterfaceError):
        # The database is away, or a lock was not to be had: nothing is wrong with the entries. They stay
        # pending and are claimed again. The connection is given up, for it may not have noticed yet.
        connection.close()
        raise
    except (DatabaseError, ObjectDoesNotExist, KeyError, ValueError) as error:
        if len(entries) > 1:
            middle = len(entries) // 2
            _record(sale_id, entries[:middle])
            _record(sale_id, entries[middle:])
            return
        if not _park(sale_id, entries[0], error):
            return
    stream.acknowledge(sale_id, ids)


def _park(sale_id: int, entry: Entry, error: Exception) -> bool:
    """Put an entry aside after several deliveries, so that it blocks nobody; its unit stays held."""
    if stream.deliveries(sale_id, [entry.id]).get(entry.id, 1) < DELIVERIES_AT_MOST:
        logger.warning("Entry %s of sale %s could not be recorded: %s", entry.id, sale_id, error)
        return False
    fields = {
        "kind": entry.kind,
        "user": entry.user,
        "ref": entry.ref,
        "at": entry.at,
        "pay_by": entry.pay_by,
    }
    ParkedEntry.objects.get_or_create(
        sale_id=sale_id,
        entry_id=entry.id,
        defaults={"fields": fields, "error": f"{type(error).__name__}: {error}"},
    )
    logger.error("Entry %s of sale %s is parked: %s", entry.id, sale_id, error)
    return True


def _keep_pace(count: int, seconds: float) -> None:
    """Hold the line at ORDERS_PER_SECOND, if one is set: the gate may be faster than the database likes."""
    if settings.ORDERS_PER_SECOND:
        time.sleep(max(0.0, count / settings.ORDERS_PER_SECOND - seconds))
