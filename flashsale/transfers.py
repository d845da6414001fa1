"""Units that leave a sale while it sells, to another region or to ordinary stock: never made, never lost.

A transfer is one row on each side under the same id, and each side decides its own once.

    here                                        there
    LEAVING  the store gives up free units
    SENT     the rows have given them up  --->  ARRIVED  rows and store have them
    DELIVERED                             <---  "arrived"
    STOCK    they are in ordinary stock again, where that was asked for; in the same step as the rows' loss
    BACK     the units are here again     <---  REFUSED  ("refused": no such sale, it is over, or a fence)

In SENT the units are nowhere, and only the other side's answer ends that: to the offer, repeated until it is
answered, or to the question to refuse (the fence), after which a late offer finds a row that says no. So a
network that dies in between, or either side, delays the units and does no more.
"""

import logging
import uuid

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from flashsale import scheduling, stock, unit_client
from flashsale.errors import SchedulingError
from flashsale.models import Sale, SaleItem, Transfer
from flashsale.unit_client import Offer, UnitAway
from shop.catalogue import stock as ordinary

logger = logging.getLogger(__name__)
State = Transfer.State


def check(*, item: SaleItem, units: int, region: str = "") -> None:
    """Raise SchedulingError with the reason why so many units cannot move there, or to ordinary stock."""
    if item.sale.phase in ("draft", "ended"):
        raise SchedulingError(_("Units move out of a sale that is scheduled and has not ended."))
    if not 1 <= units <= min(item.free, item.quantity - 1):
        raise SchedulingError(_("Units move that are free, and at least one stays."))
    if region and region not in unit_client.regions():
        raise SchedulingError(_("There is no region “%(region)s”.") % {"region": region})


def send(*, item: SaleItem, units: int, region: str = "") -> Transfer:
    """Begin to move free units to another region, or to ordinary stock where none is named.

    Raises SchedulingError; what follows is done by `go_on`.
    """
    check(item=item, units=units, region=region)
    with transaction.atomic(durable=True):
        SaleItem.objects.select_for_update(no_key=True).get(pk=item.pk)
        if item.transfers.filter(state=State.LEAVING).exists():
            raise SchedulingError(_("Other units of it are leaving at this moment. Try again in a second."))
        return Transfer.objects.create(item=item, units=units, region=region, state=State.LEAVING)


def go_on(*, transfer: Transfer) -> str:
    """Do the next step of a transfer from here; return its state. Safe to repeat, and beside itself.

    Raises RedisError and UnitAway where a store or the other side does not answer: nothing has changed then.
    """
    transfer.refresh_from_db()
    if transfer.state == State.LEAVING:
        _leave(transfer)
        transfer.refresh_from_db()
    if transfer.state == State.SENT and transfer.item is not None:
        offer = Offer(transfer.item.sale.slug, transfer.item.variant.sku, transfer.units)
        _end(transfer, unit_client.offer(transfer.region, transfer.pk, offer))
    return str(transfer.state)


def take_back(*, transfer: Transfer) -> str:
    """Get units back that have not arrived there, by making sure that they never will; return the state.

    Raises UnitAway: without the other side's word they stay on their way.
    """
    transfer.refresh_from_db()
    if transfer.state == State.SENT:
        _end(transfer, unit_client.refuse(transfer.region, transfer.pk))
    return str(transfer.state)


def go_on_with_all() -> int:
    """Do the next step of every transfer that is not over; return how many could not go on."""
    stuck = 0
    for transfer in Transfer.objects.filter(state__in=[State.LEAVING, State.SENT]):
        try:
            go_on(transfer=transfer)
        except (RedisError, UnitAway) as error:
            stuck += 1
            logger.warning("Transfer %s waits: %s", transfer.pk, error)
    return stuck


def fetch(*, region: str) -> int:
    """Accept what another region has on its way to us, if its own offers cannot reach us; return how many.

    Raises UnitAway. It hears of it at its next offer.
    """
    found = unit_client.on_their_way(region)
    for number, offer in found.items():
        accept(number=number, offer=offer, region=region)
    return len(found)


def on_their_way(*, region: str) -> dict[uuid.UUID, Offer]:
    """Return what has left here for a region and has not been acknowledged by it."""
    rows = Transfer.objects.filter(state=State.SENT, region=region, item__isnull=False)
    rows = rows.select_related("item__sale", "item__variant")
    return {row.pk: Offer(row.item.sale.slug, row.item.variant.sku, row.units) for row in rows if row.item}


def accept(*, number: uuid.UUID, offer: Offer, region: str) -> str:
    """Take in units that another region has given up; return `arrived` or `refused`, always the same one."""
    with transaction.atomic(durable=True):
        items = SaleItem.objects.select_related("sale").filter(
            sale__slug=offer.sale, variant__sku=offer.sku, sale__state=Sale.State.SCHEDULED
        )
        item = items.filter(sale__closes_at__gt=timezone.now()).first()
        if item is not None:  # the sale's lock: it cannot be closed between this look and the commit
            sale = Sale.objects.select_for_update(of=("self",), no_key=True).get(pk=item.sale_id)
            item = item if sale.state == Sale.State.SCHEDULED else None
        row, is_new = Transfer.objects.get_or_create(
            pk=number,
            defaults={
                "item": item,
                "units": offer.units,
                "region": region,
                "state": State.ARRIVED if item else State.REFUSED,
            },
        )
        if is_new and item is not None:
            SaleItem.objects.filter(pk=item.pk).update(quantity=F("quantity") + offer.units)
    if is_new and item is not None:
        _tell_store(item)
    return str(row.state)


def refuse(*, number: uuid.UUID, region: str) -> str:
    """Never accept this transfer, unless it was accepted before; return `arrived` or `refused`."""
    fence = {"units": 0, "region": region, "state": State.REFUSED}
    return str(Transfer.objects.get_or_create(pk=number, defaults=fence)[0].state)


def _leave(transfer: Transfer) -> None:
    """Let free units go: first from the store, which sells them, then from the rows, which count them.

    The store's number is read before the rows' and changed only if it is still the same (`seen`). Dying
    between the two steps leaves the row LEAVING: nobody tells the store the old number then (`quantities`),
    and the next run finds the store where it is. A rebuild in between has raised the epoch.
    """
    assert transfer.item is not None  # noqa: S101 - only what was refused unseen has no item
    item = transfer.item
    known = stock.run(stock.status(item.sale_id, [item.pk]))
    if known is None or item.pk not in known.items:
        return
    quantity = SaleItem.objects.values_list("quantity", flat=True).get(pk=item.pk)
    seen = known.items[item.pk].quantity
    now = stock.run(stock.resize(item.sale_id, item.pk, quantity=quantity - transfer.units, seen=seen))
    if now < 0:
        return
    gone = max(0, quantity - now)
    with transaction.atomic(durable=True):
        sale = Sale.objects.select_for_update(of=("self",), no_key=True).get(pk=item.sale_id)
        if sale.epoch != known.epoch:
            return
        to = State.SENT if transfer.region else State.STOCK
        state = to if gone else State.BACK
        leaving = Transfer.objects.filter(pk=transfer.pk, state=State.LEAVING)
        if leaving.update(state=state, units=gone):
            if state == State.STOCK:
                # Variants before sale items: the order in which closing a sale locks them.
                ordinary.give_back({item.variant_id: gone})
            SaleItem.objects.filter(pk=item.pk).update(quantity=F("quantity") - gone)


def _end(transfer: Transfer, answer: str) -> None:
    """Write down what the other side has decided; what it refused is ours again."""
    state = State.DELIVERED if answer == State.ARRIVED else State.BACK
    with transaction.atomic(durable=True):
        assert transfer.item is not None  # noqa: S101 - what was sent has an item
        sale = Sale.objects.select_for_update(of=("self",), no_key=True).get(pk=transfer.item.sale_id)
        ended = Transfer.objects.filter(pk=transfer.pk, state=State.SENT).update(state=state)
        if ended and state == State.BACK and sale.phase == "ended":
            ordinary.give_back({transfer.item.variant_id: transfer.units})
        elif ended and state == State.BACK:
            SaleItem.objects.filter(pk=transfer.item.pk).update(quantity=F("quantity") + transfer.units)
    transfer.state = state
    if ended and state == State.BACK:
        _tell_store(transfer.item)


def _tell_store(item: SaleItem) -> None:
    try:
        scheduling.warm(sale_id=item.sale_id)
    except RedisError as error:  # the beat's warm-up comes by every few seconds
        logger.warning("The store was not told of new units of item %s: %s", item.pk, error)
