"""From the stream to the rows: what the store has decided becomes orders, in one transaction a batch.

The database has the last word: the item's row is locked, and whatever does not fit (more units than there
are, a second unit for the same shopper, an entry of an older epoch) is recorded as displaced, told to the
shopper, and pauses the sale, for then the store has lied.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Address, User
from flashsale import eligibility, letters, pauses, reservations, results, scheduling
from flashsale.eligibility import Code
from flashsale.models import Pause, Reservation, Sale, SaleItem, StandbyEntry
from flashsale.pauses import Why
from flashsale.results import Result
from flashsale.stream import Entry
from shop.orders import outbox
from shop.orders.models import Order, OrderLine
from shop.orders.shipping import ADDRESS

logger = logging.getLogger(__name__)
Status = Reservation.Status
Place = StandbyEntry.Status
Refusals = Mapping[tuple[str, int], Code]
"""By the kind of the entry and the user."""


def record(*, sale_id: int, entries: Sequence[Entry], blames_store: bool = True) -> int:
    """Write a batch of stream entries of one sale; return how many reservations are new.

    Safe to run twice: a rid that has a row is passed over. Raises django.db.Error if the batch cannot be
    written, and then nothing of it is. What does not fit pauses the sale, unless `blames_store` is False.
    """
    with transaction.atomic(durable=True):
        # Two workers may hold parts of the same stream, or the same part after one was thought dead: the
        # second waits here until the first has committed, and then sees its rows.
        locked = _lock(sale_id)
        refused = _refused(locked, entries)
        places = [entry for entry in entries if entry.standby and entry.item in locked]
        _record_standby(locked, places, refused)
        units = [
            entry for entry in entries if entry.kind in ("reserved", "promoted") and entry.item in locked
        ]
        rows = _judge(locked, units, refused) if units else []
        _insert(locked, rows)
        displaced = [row.rid for row in rows if row.status == Status.DISPLACED]
        if displaced and blames_store:
            _stop_selling(sale_id, displaced)
        _pass_on([row.pk for row in rows if row.status == Status.REFUSED])
    results.tell(_news(sale_id, places, rows))
    for row in rows:
        reservations.note(row, sale=sale_id)
    _note_places(sale_id, places)
    return len(rows)


def _note_places(sale_id: int, places: Sequence[Entry]) -> None:
    """Log what has become of places on standby, once it is committed; a promotion names the reservation."""
    for entry in places:
        name = letters.name_of_place(entry.item, entry.epoch, entry.standby)
        what = f"promoted to {entry.ref}" if entry.kind == "promoted" else entry.kind
        logger.info("place %s", what, extra={"rid": name, "sale": sale_id})


def _lock(sale_id: int) -> dict[int, SaleItem]:
    """Lock the sale's items, and only then read the sale.

    A rebuild locks the items, too, to begin the next epoch: whoever waited here for it must not judge by the
    epoch that he knew before, and whoever it waited for has written his rows before it reads them.
    """
    items = SaleItem.objects.select_related("variant__product").filter(sale_id=sale_id)
    locked = {item.pk: item for item in items.select_for_update(of=("self",), no_key=True).order_by("pk")}
    sale = Sale.objects.get(pk=sale_id)
    for item in locked.values():
        item.sale = sale
    return locked


def _refused(items: dict[int, SaleItem], entries: Sequence[Entry]) -> Refusals:
    """Who must not have the unit that the store gave him, and why.

    The store promotes in the step that frees the unit and knows nobody's account: whoever was blocked, closed
    or struck off the list while he stood by is found here, before there is an order or a mail. The gates know
    the blocked; who was blocked in the moment of his attempt, before his gate heard of it, is found here too.
    """
    users: dict[str, set[int]] = {"promoted": set(), "reserved": set()}
    for entry in entries:
        if entry.kind in users and entry.item in items:
            users[entry.kind].add(entry.user)
    found = {("reserved", user): code for user, code in eligibility.blocked(users=users["reserved"]).items()}
    if users["promoted"]:
        sale = next(iter(items.values())).sale
        if sale.rehearsal_of_id is not None:  # its shoppers have no accounts worth judging
            return {}
        refused = eligibility.refused(users=users["promoted"], sale=sale, now=timezone.now())
        found |= {("promoted", user): code for user, code in refused.items()}
    return found


def _news(sale: int, places: Sequence[Entry], rows: Sequence[Reservation]) -> list[Result]:
    """What a recorded batch is for its shoppers."""
    found = [
        Result(sale, entry.user, entry.kind, entry.item, number=entry.standby)
        for entry in places
        if entry.kind in ("standby", "left")
    ]
    # Whom the rules refused hears it when the store has been told, as do those whose time is over.
    return found + [reservations.result_of(row, sale=sale) for row in rows if row.status != Status.REFUSED]


def _pass_on(ids: list[int]) -> None:
    # Rows first, then the store: should the process die before it is told, the sweep tells it a second later.
    if ids:
        transaction.on_commit(partial(reservations.tell_store, ids=ids))


def _record_standby(items: dict[int, SaleItem], places: Sequence[Entry], refused: Refusals) -> None:
    joined = [_place(entry, Place.WAITING) for entry in places if entry.kind == "standby"]
    if joined:
        StandbyEntry.objects.bulk_create(joined, ignore_conflicts=True)
        letters.put_standby(items, joined)
    promoted = [entry for entry in places if entry.kind == "promoted"]
    for status, ended in (
        (Place.PROMOTED, [entry for entry in promoted if ("promoted", entry.user) not in refused]),
        (Place.REFUSED, [entry for entry in promoted if ("promoted", entry.user) in refused]),
        (Place.LEFT, [entry for entry in places if entry.kind == "left"]),
    ):
        for item in {entry.item for entry in ended}:
            _end_places(item, [entry for entry in ended if entry.item == item], status)


def _end_places(item: int, entries: Sequence[Entry], status: str) -> None:
    """End these places, and only these: their shoppers may have taken another place since.

    Another worker may still hold the entry in which a place was taken. Then the ended place is written
    here, and that entry finds it and changes nothing.
    """
    rows = StandbyEntry.objects.filter(item=item, number__in=[entry.standby for entry in entries])
    rows.filter(status=Place.WAITING).update(status=status, ended_at=Now())
    known = set(rows.values_list("number", flat=True))
    missing = [_place(entry, status) for entry in entries if entry.standby not in known]
    StandbyEntry.objects.bulk_create(missing, ignore_conflicts=True)


def _place(entry: Entry, status: str) -> StandbyEntry:
    return StandbyEntry(
        item_id=entry.item,
        user_id=entry.user,
        epoch=entry.epoch,
        number=entry.standby,
        status=status,
        joined_at=entry.happened_at,
        ended_at=None if status == Place.WAITING else entry.happened_at,
    )


@dataclass(frozen=True, slots=True)
class _Known:
    """What the rows have of a batch: whose each name is, who holds a unit, and how many each has paid."""

    owners: dict[str, int]
    live: set[tuple[int, int]]
    paid: Counter[tuple[int, int]]


def _known(items: dict[int, SaleItem], entries: Sequence[Entry]) -> _Known:
    found = _Known({}, set(), Counter())
    ours = Q(user__in={entry.user for entry in entries}) | Q(rid__in=[entry.ref for entry in entries])
    rows = Reservation.objects.filter(ours, item__in=items)
    for rid, item, user, status in rows.values_list("rid", "item_id", "user_id", "status"):
        found.owners[rid] = user
        if status == Status.HELD:
            found.live.add((item, user))
        elif status == Status.PAID:
            found.paid[item, user] += 1
    return found


def _judge(items: dict[int, SaleItem], entries: Sequence[Entry], refused: Refusals) -> list[Reservation]:
    """Decide what each new unit becomes: held while there is room, else displaced; refused by the rules."""
    known, rows = _known(items, entries), []
    free = {pk: item.free for pk, item in items.items()}
    for entry in entries:
        # A store that went back gives the same name to a second shopper. The first one keeps it.
        is_taken = known.owners.get(entry.ref, entry.user) != entry.user
        rid = second_name(entry.ref, entry.user) if is_taken else entry.ref
        if rid in known.owners:
            continue
        known.owners[rid] = entry.user
        item, owner = items[entry.item], (entry.item, entry.user)
        fits = free[entry.item] > 0 and owner not in known.live and known.paid[owner] < item.limit
        if is_taken or not fits or entry.epoch != item.sale.epoch:
            rows.append(_row(entry, Status.DISPLACED, rid=rid))
        elif (entry.kind, entry.user) in refused:
            rows.append(_row(entry, Status.REFUSED, rid=rid, refusal=refused[entry.kind, entry.user]))
        else:
            free[entry.item] -= 1
            known.live.add(owner)
            rows.append(_row(entry, Status.HELD, rid=rid))
    return rows


def second_name(rid: str, user: int) -> str:
    """The name under which the end of a reservation is told whose own name was another's before."""
    return f"{rid}-{user}"


def _row(entry: Entry, status: str, *, rid: str, refusal: str = "") -> Reservation:
    ended = None if status == Status.HELD else Now()  # one clock for all ends: PostgreSQL's
    return Reservation(
        rid=rid,
        item_id=entry.item,
        user_id=entry.user,
        status=status,
        epoch=entry.epoch,
        promoted=entry.kind == "promoted",
        standby_number=entry.standby if entry.kind == "promoted" else 0,
        refusal=refusal,
        reserved_at=entry.happened_at,
        pay_by=entry.deadline,
        ended_at=ended,
        store_told_at=ended if status == Status.DISPLACED else None,
    )


def _insert(items: dict[int, SaleItem], rows: list[Reservation]) -> None:
    if not rows:
        return
    users = User.objects.only("email", "language").in_bulk({row.user_id for row in rows})
    held = [row for row in rows if row.status == Status.HELD]
    addresses = _addresses(row.user_id for row in held if items[row.item_id].is_shipped)
    orders = Order.objects.bulk_create(
        _order(items[row.item_id], row, users[row.user_id], addresses.get(row.user_id, {})) for row in held
    )
    for row, order in zip(held, orders, strict=True):
        row.order = order
    OrderLine.objects.bulk_create(_line(items[row.item_id], row) for row in held)
    Reservation.objects.bulk_create(rows)
    outbox.put_all(letters.of_reservation(items[row.item_id], row, users[row.user_id]) for row in rows)
    for pk, count in sorted(Counter(row.item_id for row in held).items()):
        SaleItem.objects.filter(pk=pk).update(held=F("held") + count)


def _stop_selling(sale_id: int, rids: list[str]) -> None:
    """The store gave away what it did not have: no further unit until somebody has looked."""
    Sale.objects.filter(pk=sale_id).update(paused=True)
    pauses.begin(sale_id=sale_id, why=Why(Pause.Reason.COUNTS))
    transaction.on_commit(lambda: scheduling.tell_paused(sale_id=sale_id), robust=True)
    logger.critical("Sale %s is paused: the rows refused %d reservations: %s", sale_id, len(rids), rids[:10])


def _addresses(users: Iterable[int]) -> dict[int, dict[str, str]]:
    """The default addresses of these shoppers: whoever has got ready types nothing while his time runs."""
    rows = Address.objects.filter(user__in=users, is_default=True)
    return {row.user_id: {name: getattr(row, name) for name in ADDRESS} for row in rows}


def _order(item: SaleItem, row: Reservation, user: User, address: Mapping[str, str]) -> Order:
    return Order(
        user_id=row.user_id,
        email=user.email,
        language=user.language,
        hold=Order.Hold.SALE,
        delivery=item.delivery,
        total=item.total,
        pay_by=row.pay_by,
        **(address if item.is_shipped else {}),
    )


def _line(item: SaleItem, row: Reservation) -> OrderLine:
    return OrderLine(
        order=row.order, variant=item.variant, title=str(item.variant), sku=item.variant.sku, price=item.price
    )
