"""What a page shows of a sale: the rows, the store's latest figures, and what the shopper has in it.

A store that does not answer leaves its figures unknown: the pages say so and stay up.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.cache import caches
from django.db.models import Prefetch, QuerySet
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import User
from flashsale import pauses, stock
from flashsale.gate.answers import PHASE_WORDS
from flashsale.models import Reservation, Sale, SaleItem, StandbyEntry
from flashsale.pauses import Told
from flashsale.queue import Queue
from flashsale.replies import Status
from shop.catalogue.models import Product, ProductImage
from shop.orders import shipping

MOST_SALES = 60


@dataclass(frozen=True, slots=True)
class Own:
    """What a shopper has of one item: a reservation (his latest), a place on standby, or neither."""

    reservation: Reservation | None = None
    standby: StandbyEntry | None = None
    paid: int = 0


@dataclass(frozen=True, slots=True)
class ShownItem:
    """One item; `free` and `standby_free` are None where the store does not tell."""

    item: SaleItem
    free: int | None
    standby_free: int | None
    own: Own

    @property
    def is_sold_out(self) -> bool:
        """Whether neither a unit nor a standby place is left."""
        return self.free == 0 and self.standby_free == 0

    @property
    def is_mine(self) -> bool:
        """Whether the shopper holds a unit, stands by, or has bought as many as he may."""
        row, has_all = self.own.reservation, self.own.paid >= self.item.limit
        is_held = row is not None and row.status == Reservation.Status.HELD
        return is_held or has_all or self.own.standby is not None

    @property
    def product(self) -> Product:
        return self.item.variant.product


@dataclass(frozen=True, slots=True)
class Shown:
    """A sale at one instant. `phase` is coming, running, paused or ended, by the store where it answers.

    `now` is the store's time in ms; `queue` is None where nobody waits, or nobody knows; `pause` says why
    the sale is paused.
    """

    sale: Sale
    phase: str
    items: list[ShownItem]
    knows_stock: bool
    now: int
    queue: Queue | None
    pause: Told | None

    @property
    def is_sold_out(self) -> bool:
        """Whether of no item a unit or a standby place is left, as far as is known."""
        return all(one.is_sold_out for one in self.items)


def with_items(sales: QuerySet[Sale]) -> QuerySet[Sale]:
    """Bring items, products and pictures along: three more queries for any number of sales."""
    pictures = Prefetch("variant__product__images", ProductImage.objects.all())
    items = SaleItem.objects.select_related("variant__product").prefetch_related(pictures)
    return sales.prefetch_related(Prefetch("items", items))


def public() -> QuerySet[Sale]:
    """Sales that shoppers may see: all but drafts and rehearsals."""
    return scheduled().filter(rehearsal_of__isnull=True)


def scheduled() -> QuerySet[Sale]:
    """All sales but drafts, rehearsals too."""
    return Sale.objects.exclude(state=Sale.State.DRAFT)


def show(*, sale: Sale, user: User | None) -> Shown:
    """Look at a sale whose items are loaded; one call of the store and, for a shopper, two queries."""
    items = list(sale.items.all())
    status = _status(sale, items)
    own = _own(user, items)
    phase = PHASE_WORDS[status.phase] if status else _phase_without_store(sale)
    return Shown(
        sale=sale,
        phase=phase,
        items=[_item(item, status, own) for item in items],
        knows_stock=status is not None,
        now=status.now if status else int(timezone.now().timestamp() * 1000),
        queue=status.queue if status else None,
        pause=pauses.told(sale=sale, status=status) if phase == "paused" else None,
    )


def _status(sale: Sale, items: list[SaleItem]) -> Status | None:
    try:
        return stock.run(stock.status(sale.pk, [item.pk for item in items]))
    except RedisError:
        return None


def _phase_without_store(sale: Sale) -> str:
    """An empty or silent store means paused, never sold out and never free."""
    return "paused" if sale.phase == "running" else sale.phase


def _item(item: SaleItem, status: Status | None, own: dict[int, Own]) -> ShownItem:
    units = status.items.get(item.pk) if status else None
    standby_free = status.standby_free(item.pk) if status and units else None
    return ShownItem(item, units.free if units else None, standby_free, own.get(item.pk, Own()))


def _own(user: User | None, items: Iterable[SaleItem]) -> dict[int, Own]:
    if user is None:
        return {}
    ids = [item.pk for item in items]
    rows = Reservation.objects.filter(user=user, item__in=ids).order_by("pk")
    waits = StandbyEntry.objects.filter(user=user, item__in=ids, status=StandbyEntry.Status.WAITING)
    latest = {row.item_id: row for row in rows}
    places = {row.item_id: row for row in waits}
    paid = Counter(row.item_id for row in rows if row.status == Reservation.Status.PAID)
    return {pk: Own(latest.get(pk), places.get(pk), paid[pk]) for pk in {*latest, *places}}


def arrives(sale: Sale, at: datetime | None = None) -> str:
    """Say when what a sale sends should arrive if it is paid now, or `at`; empty where nothing is sent."""
    if sale.phase == "ended" or not any(item.is_shipped for item in sale.items.all()):
        return ""
    return shipping.when(max(at or timezone.now(), sale.opens_at), is_paid=False)


def gone_within(item: SaleItem) -> timedelta | None:
    """Return how long after the opening the last unit was reserved for the first time; None if not all were.

    Asked for by everybody who got nothing, so it is looked up once a minute.
    """
    key, known = f"gone-{item.pk}", caches["process"]
    found: timedelta | None = known.get(key)
    if found is None:
        rows = Reservation.objects.filter(item=item).exclude(status=Reservation.Status.DISPLACED)
        last = rows.order_by("reserved_at").values_list("reserved_at", flat=True)[item.quantity - 1 :][:1]
        found = next((at - item.sale.opens_at for at in last), None)
        known.set(key, found, 60)
    return found


def sale_of_held(*, rid: str, user_id: int) -> int | None:
    """Return the sale of a reservation without a row, if the store knows it as this shopper's.

    Raises RedisError.
    """
    item_id, _, _ = rid.partition("-")
    item = SaleItem.objects.filter(pk=int(item_id)).only("sale_id").first() if item_id.isdecimal() else None
    if item is None:
        return None
    found = stock.run(stock.place(item.sale_id, item.pk, user=user_id))
    return item.sale_id if found is not None and found.rid == rid else None


@dataclass(frozen=True, slots=True)
class Board:
    """The sales of the shop by what they are to a shopper."""

    running: list[Sale]
    coming: list[Sale]
    past: list[Sale]

    @property
    def first(self) -> Sale | None:
        """The sale to go to first: the one that runs, else the one that opens next."""
        return next(iter([*self.running, *self.coming]), None)


def board() -> Board:
    """Return the sales that end last: to come, running, and the latest past ones; four queries."""
    found = Board([], [], [])
    for sale in with_items(public()).order_by("-closes_at")[:MOST_SALES]:
        shelf = {"coming": found.coming, "ended": found.past}.get(sale.phase, found.running)
        shelf.append(sale)
    found.coming.sort(key=lambda sale: sale.opens_at)
    return found
