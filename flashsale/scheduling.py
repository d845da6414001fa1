"""A sale's own life: scheduled, warmed up, paused, resumed, closed."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Max, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from flashsale import audit, pauses, standby, stock, stream
from flashsale.errors import SchedulingError
from flashsale.models import Reservation, Sale, SaleItem, StandbyEntry, Transfer
from flashsale.pauses import Why
from flashsale.queue import Queue
from flashsale.replies import Status
from shop.catalogue import stock as ordinary
from shop.catalogue.errors import OutOfStock
from shop.catalogue.models import Variant

logger = logging.getLogger(__name__)


def schedule(*, sale: Sale, seen: int | None = None) -> None:
    """Move the sale's units out of ordinary stock and warm the store up. Raises SchedulingError and Stale.

    In one transaction: either all units have left ordinary stock and the sale is scheduled, or nothing.
    `seen` is the last thing that the operator's page knew of (None: there was no page). It is compared under
    the lock under which plans are saved, so that nobody schedules another plan than the one that was read.
    """
    with transaction.atomic(durable=True):
        locked = Sale.objects.select_for_update(of=("self",), no_key=True).get(pk=sale.pk)
        if locked.state != Sale.State.DRAFT:
            raise SchedulingError(_("This sale was scheduled before."))
        if locked.deleted_at is not None:
            raise SchedulingError(_("This draft was deleted. Bring it back first."))
        audit.refuse_old(sale=locked, seen=seen)
        of_variants = dict(locked.items.values_list("variant_id", "quantity"))
        if not of_variants:
            raise SchedulingError(_("Add at least one item first."))
        try:
            ordinary.take(of_variants)
        except OutOfStock as error:
            raise SchedulingError(
                _("There is not enough ordinary stock: %(reason)s") % {"reason": error}
            ) from error
        _refuse_overlap(locked, list(of_variants))
        locked.state = Sale.State.SCHEDULED
        locked.save(update_fields=["state"])
    sale.state = Sale.State.SCHEDULED
    try:
        warm(sale_id=sale.pk)
    except RedisError as error:
        # The beat's warm-up comes by every few seconds until the store has the sale.
        logger.warning("Sale %s is scheduled; the store is away: %s", sale.pk, error)


def overlapping(*, sale: Sale, variants: list[int]) -> list[SaleItem]:
    """Return items of other scheduled sales that sell one of `variants` at the same time."""
    others = SaleItem.objects.filter(variant__in=variants, sale__state=Sale.State.SCHEDULED)
    others = others.filter(sale__opens_at__lt=sale.closes_at, sale__closes_at__gt=sale.opens_at)
    others = others.filter(sale__rehearsal_of__isnull=True)
    return list(others.exclude(sale=sale.pk).select_related("sale", "variant__product"))


def _refuse_overlap(sale: Sale, variants: list[int]) -> None:
    # The variants' rows are locked by `take`, so two sales of the same variant cannot both pass here.
    for item in overlapping(sale=sale, variants=variants):
        raise SchedulingError(
            _("%(variant)s is in the sale “%(sale)s” at the same time.")
            % {"variant": item.variant, "sale": item.sale.title}
        )


def warm(*, sale_id: int) -> str:
    """Load a scheduled sale into the store, or bring its settings up to date there.

    A store that was loaded before and is empty now has lost its data: it is left alone (attempts are
    answered `paused`) until `reconcile --rebuild`. Returns `loaded`, `updated`, `lost` or `skipped`.
    """
    sale = Sale.objects.get(pk=sale_id)
    if sale.state == Sale.State.DRAFT:
        return "skipped"
    known = stock.run(stock.status(sale.pk, list(sale.items.values_list("pk", flat=True))))
    if known is None and sale.warmed_at:
        return "lost"
    if known and known.epoch == sale.epoch:
        _bring_units(sale.pk, known)
        if _is_up_to_date(sale, known):
            return "updated"
    reply = stock.run(stock.load(sale.pk, document(sale)))
    Sale.objects.filter(pk=sale.pk, warmed_at__isnull=True).update(warmed_at=timezone.now())
    return reply


def _bring_units(sale_id: int, known: Status) -> None:
    """Tell the store of units that were added while it did not listen.

    What the store has (`known`) is read first, then the rows, and the store takes the new number only if it
    still has what was read. So nobody brings back units that leave by a transfer meanwhile: either its row is
    seen here, or the store has changed since.
    """
    wanted = quantities(sale_id)
    for item, found in known.items.items():
        if found.quantity < wanted[item]:
            stock.run(stock.resize(sale_id, item, quantity=wanted[item], seen=found.quantity))


def _is_up_to_date(sale: Sale, known: Status) -> bool:
    stored = (known.opens_at, known.closes_at, known.pay_within, known.standby_size, known.paused)
    opens_at, closes_at = int(sale.opens_at.timestamp() * 1000), int(sale.closes_at.timestamp() * 1000)
    wanted = (opens_at, closes_at, sale.pay_within * 1000, sale.standby_size, sale.paused)
    if known.notice != pauses.notice(sale):
        return False
    return stored == wanted and _is_queue_up_to_date(sale, known.queue)


def _is_queue_up_to_date(sale: Sale, known: Queue | None) -> bool:
    if known is None:
        return sale.rate is None
    stored = (known.rate, known.limit, known.tie_band, known.lots_at_open)
    return stored == (sale.rate, sale.queue_limit, sale.tie_band, sale.shuffle_at_open)


def pause(*, sale_id: int, why: Why = pauses.NOTHING_SAID) -> None:
    """Stop reserving at once; deadlines and payments go on. Raises RedisError if the store is away.

    A sale that is paused already keeps what was said of it: see `explain`.
    """
    with transaction.atomic():
        Sale.objects.filter(pk=sale_id).update(paused=True)
        pauses.begin(sale_id=sale_id, why=why)
    tell_paused(sale_id=sale_id)


def explain(*, sale_id: int, why: Why) -> None:
    """Say something else of a pause that goes on. Raises RedisError if the store is away."""
    pauses.change(sale_id=sale_id, why=why)
    if Sale.objects.get(pk=sale_id).paused:
        tell_paused(sale_id=sale_id)


def tell_paused(*, sale_id: int) -> None:
    """Pause a sale in the store, with what the rows say of it. Raises RedisError if the store is away."""
    notice = pauses.notice(Sale.objects.get(pk=sale_id))
    stock.run(stock.pause(sale_id, paused=True, notice=notice))


def resume(*, sale_id: int) -> None:
    """Let the sale go on. Raises RedisError if the store is away (it then stays paused)."""
    stock.run(stock.pause(sale_id, paused=False))
    with transaction.atomic():
        Sale.objects.filter(pk=sale_id).update(paused=False)
        pauses.end(sale_id=sale_id)


def set_rate(*, sale_id: int, rate: int | None) -> None:
    """Serve so many tickets a second from now on; None for no limit.

    Raises SchedulingError where the sale draws lots, which need a rate, and RedisError if the store is
    away: the rows have the new rate then, and the beat's warm-up brings it there.
    """
    sale = Sale.objects.get(pk=sale_id)
    if rate is None and (sale.tie_band or sale.shuffle_at_open):
        raise SchedulingError(_("This sale draws lots, so it needs an admission rate."))
    Sale.objects.filter(pk=sale_id).update(rate=rate)
    stock.run(stock.set_rate(sale_id, rate))


def move(*, sale_id: int, opens_at: datetime | None = None, closes_at: datetime | None = None) -> None:
    """Open a sale at another time, or end it at another; what is not given stays.

    Raises SchedulingError where that would be in the past, or for a sale that has opened or ended, and
    RedisError if the store is away: the beat's warm-up brings it the times.
    """
    now = timezone.now()
    with transaction.atomic(durable=True):
        sale = Sale.objects.select_for_update(of=("self",), no_key=True).get(pk=sale_id)
        if sale.state != Sale.State.SCHEDULED or sale.closes_at <= now:
            raise SchedulingError(_("Only a scheduled sale that has not ended can be moved."))
        if opens_at is not None and sale.opens_at <= now:
            raise SchedulingError(_("It has opened already."))
        sale.opens_at, sale.closes_at = opens_at or sale.opens_at, closes_at or sale.closes_at
        if sale.closes_at <= max(now, sale.opens_at):
            raise SchedulingError(_("It must end after it opens, and in the future."))
        sale.save(update_fields=["opens_at", "closes_at"])
    warm(sale_id=sale_id)


def add_units(*, item_id: int, units: int) -> None:
    """Move units from ordinary stock into a running sale; standby gets them first.

    Rows first, then the store: should the process die between the two, the beat's warm-up tells it. Raises
    SchedulingError, and RedisError if the store is away.
    """
    with transaction.atomic(durable=True):
        item = SaleItem.objects.select_related("sale").get(pk=item_id)
        sale = Sale.objects.select_for_update(of=("self",), no_key=True).get(pk=item.sale_id)
        if sale.state != Sale.State.SCHEDULED or sale.closes_at <= timezone.now():
            raise SchedulingError(_("Units are added to a scheduled sale that has not ended."))
        try:
            # Variants before sale items: the order in which closing a sale locks them.
            ordinary.take({item.variant_id: units})
        except OutOfStock as error:
            sentence = _("There is not enough ordinary stock: %(reason)s")
            raise SchedulingError(sentence % {"reason": error}) from error
        SaleItem.objects.filter(pk=item_id).update(quantity=F("quantity") + units)
    # Two operators may come here together: each tells the sum that he finds; the warm-up has the last word.
    known = stock.run(stock.status(item.sale_id, [item.pk]))
    if known is not None:
        _bring_units(item.sale_id, known)


def quantities(sale_id: int) -> dict[int, int]:
    """Return the units that each item is to have in the store: those of the rows that are not leaving."""
    leaving = Coalesce(Sum("transfers__units", filter=Q(transfers__state=Transfer.State.LEAVING)), 0)
    rows = SaleItem.objects.filter(sale=sale_id).annotate(wanted=F("quantity") - leaving)
    return dict(rows.values_list("pk", "wanted"))


def close_now(*, sale_id: int) -> None:
    """End a running sale before its time; what is free goes back to ordinary stock within seconds."""
    now = timezone.now()
    with transaction.atomic(durable=True):
        sale = Sale.objects.select_for_update(of=("self",), no_key=True).get(pk=sale_id)
        if sale.state != Sale.State.SCHEDULED or sale.closes_at <= now:
            raise SchedulingError(_("Only a scheduled sale that has not ended can be closed."))
        sale.closes_at = now
        sale.opens_at = min(sale.opens_at, now - timedelta(milliseconds=1))
        sale.save(update_fields=["opens_at", "closes_at"])
    warm(sale_id=sale_id)
    close(sale_id=sale_id)


def close(*, sale_id: int) -> bool:
    """Return to ordinary stock what an ended sale has not sold; True once nothing is held any more.

    Called again and again until then: each call returns what has become free since the last one. The
    store is closed first and its stream must be empty, so that no reservation is still on its way here.
    """
    items = list(SaleItem.objects.filter(sale=sale_id).order_by("pk").values_list("pk", flat=True))
    stock.run(stock.close(sale_id, items))
    left = stream.backlog(sale_id)
    if left.unread or left.pending:
        return False
    with transaction.atomic(durable=True):
        sale = Sale.objects.select_for_update(of=("self",), no_key=True).get(pk=sale_id)
        if sale.state == Sale.State.DRAFT or sale.closes_at > timezone.now():
            return False
        if Transfer.objects.filter(item__sale=sale, state=Transfer.State.LEAVING).exists():
            return False  # whether these units are ours is not decided yet
        is_over = _return_units(sale)
        if is_over and sale.state != Sale.State.CLOSED:
            sale.state = Sale.State.CLOSED
            sale.save(update_fields=["state"])
        standby.close_ended(sale=sale)
    return is_over


def _return_units(sale: Sale) -> bool:
    of_variants = dict(sale.items.values_list("variant_id", "quantity"))
    # Variants before sale items is safe: nobody who holds a sale item's lock asks for a variant.
    list(Variant.objects.select_for_update(no_key=True).filter(pk__in=of_variants).order_by("pk"))
    items = list(sale.items.select_for_update(of=("self",), no_key=True).order_by("pk"))
    for item in items:
        if item.free:
            SaleItem.objects.filter(pk=item.pk).update(returned=F("returned") + item.free)
            if sale.rehearsal_of_id is None:
                ordinary.give_back({item.variant_id: item.free})
    return not any(item.held for item in items)


def document(sale: Sale) -> dict[str, Any]:
    """Describe a sale to the store as the rows know it (see `lua/manage.lua`); times in ms."""
    wanted = quantities(sale.pk)
    return {
        "id": sale.pk,
        "epoch": sale.epoch,
        "opens_at": int(sale.opens_at.timestamp() * 1000),
        "closes_at": int(sale.closes_at.timestamp() * 1000),
        "paused": sale.paused,
        "notice": pauses.notice(sale),
        "closed": sale.state == Sale.State.CLOSED,
        "pay_within": sale.pay_within * 1000,
        "standby_size": sale.standby_size,
        "rate": -1 if sale.rate is None else sale.rate,
        "queue_limit": -1 if sale.queue_limit is None else sale.queue_limit,
        "tie_band": sale.tie_band,
        "lots_at_open": sale.shuffle_at_open,
        "line_key": sale.line_key,
        "items": [_item_document(item, wanted[item.pk]) for item in sale.items.order_by("pk")],
    }


def _item_document(item: SaleItem, quantity: int) -> dict[str, Any]:
    # Held and paid are both counted from one query: a payment in between would be in one of two, or in none.
    rows = item.reservations.filter(status__in=[Reservation.Status.HELD, Reservation.Status.PAID]).order_by(
        "pk"
    )
    holders: list[list[Any]] = []
    owners: dict[int, tuple[str, int]] = {}
    for row in rows:
        unit = f"{row.rid} {int(row.pay_by.timestamp() * 1000)}"
        if row.status == Reservation.Status.HELD:
            holders.append([row.user_id, unit])
        else:
            owners[row.user_id] = (unit, owners.get(row.user_id, ("", 0))[1] + 1)
    waiting = item.standby.filter(status=StandbyEntry.Status.WAITING).values_list("user_id", "number")
    return {
        "id": item.pk,
        "quantity": quantity,
        "paid": sum(count for _, count in owners.values()),
        "returned": item.returned,
        "limit": item.limit,
        "number": 0,
        "standby_number": item.standby.aggregate(highest=Max("number"))["highest"] or 0,
        "holders": holders,
        "owners": [[user, f"{unit} {count}"] for user, (unit, count) in owners.items()],
        "standby": [[user, number] for user, number in waiting],
    }
