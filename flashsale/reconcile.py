"""Compares both stores, says both numbers, repairs what is safe, and rebuilds the store from the rows."""

import logging
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from flashsale import draining, recording, reservations, scheduling, stock, stream
from flashsale.models import Pause, Reservation, Sale, SaleItem
from flashsale.pauses import Why
from flashsale.replies import ItemStatus
from flashsale.stream import Backlog, Entry

logger = logging.getLogger(__name__)
SETTLE_MS = 15_000
MAY_LAST = timedelta(minutes=1)
"""A transaction that began so long ago may end now; its times are those of its beginning."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Units of one item in one store."""

    quantity: int
    free: int
    held: int
    paid: int
    returned: int

    @property
    def adds_up(self) -> bool:
        return self.quantity == self.free + self.held + self.paid + self.returned and self.free >= 0


@dataclass(frozen=True, slots=True)
class ItemReport:
    """One item in both stores. `only_store` and `only_rows` are held rids that the other side lacks.

    `idle` are units that are free although somebody stands by for them.
    """

    item: int
    rows: Figures
    store: Figures | None
    only_store: frozenset[str] = frozenset()
    only_rows: frozenset[str] = frozenset()
    idle: int = 0

    @property
    def agrees(self) -> bool:
        held = not self.only_store and not self.only_rows
        return self.rows == self.store and self.rows.adds_up and held


@dataclass(frozen=True, slots=True)
class Report:
    """One sale in both stores, and what is on its way between them."""

    sale: int
    backlog: Backlog
    untold: int
    parked: int
    items: list[ItemReport] = field(default_factory=list)
    epoch: int = 0

    @property
    def is_clean(self) -> bool:
        on_its_way = self.backlog.unread or self.backlog.pending or self.untold or self.parked
        return not on_its_way and all(item.agrees for item in self.items)


def compare(*, sale_id: int) -> Report:
    """Look at both stores. Raises RedisError if the store is away.

    A sale in motion differs by what is on its way: only a report without backlog is a verdict.
    """
    sale = Sale.objects.get(pk=sale_id)
    items = list(sale.items.order_by("pk"))
    status = stock.run(stock.status(sale_id, [item.pk for item in items]))
    ended = Reservation.objects.filter(item__sale=sale, store_told_at__isnull=True)
    return Report(
        sale=sale_id,
        backlog=stream.backlog(sale_id),
        untold=ended.exclude(status=Reservation.Status.HELD).count(),
        parked=sale.parkedentry_set.count(),
        items=[_compare_item(item, status.items.get(item.pk) if status else None) for item in items],
    )


def _compare_item(item: SaleItem, units: ItemStatus | None) -> ItemReport:
    rows = Figures(item.quantity, item.free, item.held, item.paid, item.returned)
    if units is None:
        return ItemReport(item.pk, rows, None)
    found = stock.run(stock.members(item.sale_id, item.pk))
    in_store = {rid for rid, _ in found.holders.values()}
    in_rows = set(item.reservations.filter(status=Reservation.Status.HELD).values_list("rid", flat=True))
    store = Figures(units.quantity, units.free, units.held, units.paid, units.returned)
    only_store, only_rows = frozenset(in_store - in_rows), frozenset(in_rows - in_store)
    return ItemReport(item.pk, rows, store, only_store, only_rows, min(units.free, units.standby))


def repair(*, sale_id: int) -> Report:
    """Repair what can be repaired without a doubt, and log what cannot; return how things stand then.

    Safe while the sale runs: untold ends are told, and a unit that the store gave away and that has had no
    row and no stream entry for 15 s (its entry was lost) is recorded from the store itself.
    """
    reservations.tell_store()
    report = compare(sale_id=sale_id)
    if not (report.backlog.unread or report.backlog.pending):
        for item in report.items:
            if item.only_store:
                _record_lost(sale_id, item)
    report = compare(sale_id=sale_id)
    for item in report.items:
        if not item.agrees and not report.backlog.unread and not report.backlog.pending:
            logger.warning("Sale %s item %s: rows %s, store %s", sale_id, item.item, item.rows, item.store)
    return report


def _record_lost(sale_id: int, item: ItemReport) -> None:
    sale = Sale.objects.get(pk=sale_id)
    status = stock.run(stock.status(sale_id, [item.item]))
    known = set(Reservation.objects.filter(rid__in=item.only_store).values_list("rid", flat=True))
    entries = []
    for user, (rid, pay_by) in stock.run(stock.members(sale_id, item.item)).holders.items():
        reserved_at = pay_by - sale.pay_within * 1000
        if rid in item.only_store - known and status and status.now - reserved_at > SETTLE_MS:
            entries.append(Entry("", "reserved", user, rid, reserved_at, pay_by))
    if entries:
        logger.error("Sale %s item %s: %d reservations had no row", sale_id, item.item, len(entries))
        recording.record(sale_id=sale_id, entries=entries)


def is_lost(*, sale_id: int) -> bool:
    """Whether the store does not know a sale any more that it knew. Raises RedisError if it is away."""
    was_known = Sale.objects.filter(pk=sale_id, warmed_at__isnull=False).exists()
    return was_known and stock.run(stock.status(sale_id, [])) is None


def rebuild(*, sale_id: int) -> Report:
    """Build the store anew from the rows, under the next epoch; the sale stays as paused as it was.

    What the stream still holds is recorded first, so that nobody who was told "reserved" is forgotten.
    Late messages of the old epoch are refused by `recording`. The fence keeps the old world from giving
    anything away that the new one will not know, whoever lets the sale go on meanwhile: an operator, another
    rebuild, or the beat's warm-up. A rebuild that was cut off has to be typed again.
    """
    was_paused = Sale.objects.values_list("paused", flat=True).get(pk=sale_id)
    epoch = None
    while epoch is None:
        seen = Sale.objects.values_list("epoch", flat=True).get(pk=sale_id)
        scheduling.pause(sale_id=sale_id, why=Why(Pause.Reason.MEMORY))
        stock.run(stock.fence(sale_id, seen + 1))
        draining.drain_once(sale_id=sale_id)
        began = Sale.objects.values_list(Now(), flat=True).get(pk=sale_id) - MAY_LAST
        epoch = _begin_next_epoch(sale_id, seen)
    stock.run(stock.load(sale_id, scheduling.document(Sale.objects.get(pk=sale_id))))
    # A payment or an expiry between the document and the load was told to the old world. It is told again;
    # what the document already knew changes nothing.
    ended = Reservation.objects.filter(item__sale=sale_id, ended_at__gte=began)
    ended.exclude(status=Reservation.Status.DISPLACED).update(store_told_at=None)
    reservations.tell_store(ids=list(ended.values_list("pk", flat=True)))
    draining.drain_once(sale_id=sale_id)  # what was free went to standby as the sale was loaded
    # Another rebuild may have begun meanwhile: it is left to that one, or to the operator, to let the sale go
    # on. One that begins after this look has put up its fence, and the resume changes nothing.
    if not was_paused and Sale.objects.filter(pk=sale_id, epoch=epoch).exists():
        scheduling.resume(sale_id=sale_id)
    report = replace(compare(sale_id=sale_id), epoch=epoch)
    logger.warning("Sale %s was rebuilt at %s: %s", sale_id, datetime.now(UTC).isoformat(), report)
    return report


def _begin_next_epoch(sale_id: int, seen: int) -> int | None:
    """Return the epoch after `seen`; None if another rebuild has begun it: all has to be done again."""
    # A worker may be writing rows of the old epoch just now: this waits for it, so that the document has
    # them. Whoever comes next finds the new epoch once he has the items. Sale before items, as in closing.
    # A rebuild that ended since we have drained may have let the sale go on, for it is past our fence: what
    # was sold then is in the stream still.
    with transaction.atomic(durable=True):
        sale = Sale.objects.select_for_update(no_key=True).get(pk=sale_id)
        list(SaleItem.objects.select_for_update(no_key=True).filter(sale_id=sale_id).order_by("pk"))
        if sale.epoch != seen:
            return None
        Sale.objects.filter(pk=sale_id).update(epoch=F("epoch") + 1)
        return sale.epoch + 1
