"""Plays a rehearsal from beginning to end: shadow, crowd, cashier, clerk, and what came of it."""

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F, Max
from redis.exceptions import RedisError

from flashsale import crowd, draining, reconcile, reservations, sampling, stock
from flashsale.errors import SaleError
from flashsale.models import Reservation, Sale
from flashsale.rehearsal import people, shadow
from flashsale.rehearsal.door import Door
from flashsale.rehearsal.people import MACHINES, Person, Play, Tally
from flashsale.rehearsal.verdict import Outcome
from shop.orders import payment
from shop.orders.errors import Refused
from shop.orders.models import Order

LEAD = 8.0
ENTERED_A_SECOND = 40
MOST_OF_FARM = 20_000
SETTLE = 5.0
AFTER = 30.0
MOST = 1_000_000
REFUSALS = ("slow_down", "full", "sold_out", "not_open", "queued", "standby", "paused")
Status = Reservation.Status


@dataclass(frozen=True, slots=True)
class Cast:
    """How many come, which share of them are bots, which share pays; seconds that the sale is open.

    With a `farm` of so many accounts more, in so many `browsers`, everybody is let in by the shop itself.
    """

    shoppers: int
    bots: float = 0.05
    pay: float = 0.8
    seconds: float = 120.0
    seed: int = 1
    farm: int = 0
    browsers: int = 1

    def __post_init__(self) -> None:
        """Refuse what cannot be played. Raises SaleError."""
        if not 1 <= self.shoppers <= MOST:
            raise SaleError(f"Between 1 and {MOST} shoppers can come.")
        if not (0 <= self.bots <= 1 and 0 <= self.pay <= 1):
            raise SaleError("A share is between 0% and 100%.")
        if not 5 <= self.seconds <= 3600:
            raise SaleError("A rehearsal takes between 5 seconds and an hour.")
        if not 0 <= self.farm <= MOST_OF_FARM or not 1 <= self.browsers <= max(1, self.farm):
            raise SaleError(
                f"A farm has up to {MOST_OF_FARM} accounts, in at least one browser and at most one each."
            )

    @property
    def lead(self) -> float:
        """Seconds before the opening: bots come early, and everybody else is let in first."""
        entered = (self.shoppers + self.farm) / ENTERED_A_SECOND if self.farm else 0
        return LEAD + self.shoppers / 20_000 + entered


@dataclass(slots=True)
class Backstage:
    """The thread that pays for whoever means to, looks once a second, and works where no worker does."""

    sale: Sale
    worker_is_away: bool
    due: list[tuple[float, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)
    queue_peak: int = 0
    standby_peak: int = 0

    def got(self, one: Person) -> None:
        """Somebody has reserved: if he means to pay, he does so some time before his deadline."""
        if one.pays:
            draw = random.Random(one.rid)  # noqa: S311
            self.due.append((time.time() + draw.uniform(0.1, 0.6) * self.sale.pay_within, one.rid))

    def work(self) -> None:
        """Work until the rehearsal is over."""
        with closing(connection):
            while not self.over.is_set():
                with suppress(RedisError):  # the crowd is told so too, and the report shows it
                    self._turn()
                self.over.wait(0.2)

    def _turn(self) -> None:
        if self.worker_is_away:
            draining.drain_once(sale_id=self.sale.pk)
            reservations.expire_due()
        self._pay()
        sample = sampling.look(self.sale)
        if sample is not None:
            self.queue_peak = max(self.queue_peak, sample.issued - sample.served)
            self.standby_peak = max(self.standby_peak, sample.standby)

    def _pay(self) -> None:
        now = time.time()
        for due in [one for one in self.due if one[0] <= now][:200]:
            self.due.remove(due)
            order = Order.objects.filter(reservation__rid=due[1]).first()
            if order is None:
                self.due.append((now + 0.5, due[1]))  # not recorded yet
                continue
            Order.objects.filter(pk=order.pk).update(total=0)  # no provider is asked in a rehearsal
            try:
                payment.confirm(order=order)
            except Refused:
                continue


def rehearse(*, sale: Sale, cast: Cast, gate: str, tell: Callable[[int, int], None]) -> Outcome:
    """Play a crowd against a shadow of `sale` over HTTP and return what was measured.

    `gate` is the address of the shop, `tell` hears (done, all). The shadow is removed, whatever happens.
    Raises SaleError: nothing in the sale, or nobody answers at the gate.
    """
    if not sale.items.exists():
        raise SaleError(f"{sale} has no items: there is nothing to rehearse.")
    shadow.remove_forgotten()
    copy = shadow.make(sale=sale, opens_in=cast.lead, open_for=cast.seconds)
    try:
        return _play(sale, copy, cast, gate, tell)
    finally:
        shadow.remove(copy)


def _play(sale: Sale, copy: Sale, cast: Cast, gate: str, tell: Callable[[int, int], None]) -> Outcome:
    door, actors = _actors(copy, cast, gate)
    page = sale.get_absolute_url() if sale.state != Sale.State.DRAFT else "/sales/"
    lead_in = door.lead_in if door else _has_pass
    play = Play(gate=gate, sale=copy, page=page, seed=cast.seed, lead_in=lead_in)
    backstage = Backstage(copy, worker_is_away=not draining.is_at_work())
    thread = threading.Thread(target=backstage.work)
    thread.start()
    try:
        asyncio.run(play.run(actors, tell=lambda done: tell(done, len(actors)), got=backstage.got))
        if {one.last for one in actors} <= {"lost", "absent"}:
            raise SaleError(f"The gate at {gate} does not answer: is that the shop's address?")
        _wait_for_the_rest(copy, backstage)
    finally:
        backstage.over.set()
        thread.join()
    return _measure(copy, cast, actors, play.tally, backstage, door)


def _actors(copy: Sale, cast: Cast, gate: str) -> tuple[Door | None, list[Person]]:
    """Return who comes; where there is a farm nobody has a pass yet, and the door that gives them."""
    users = shadow.make_shoppers(copy, cast.shoppers)
    farm = shadow.make_shoppers(copy, cast.farm, first=cast.shoppers)
    items = list(copy.items.values_list("pk", flat=True))
    passes = repeat("") if farm else crowd.issue_passes(copy, users)
    actors = people.cast(
        zip(users, passes, strict=False), items, bots=cast.bots, pay=cast.pay, seed=cast.seed
    )
    if not farm:
        return None, actors
    actors += [Person(user, "", items[n % len(items)], "farm", pays=True) for n, user in enumerate(farm)]
    return Door(gate=gate, copy=copy, users=users, farm=farm, browsers=cast.browsers), actors


async def _has_pass(_one: Person) -> None:
    """Nobody has to be let in: passes were issued."""


def _wait_for_the_rest(copy: Sale, backstage: Backstage) -> None:
    """Let deadlines pass and payments arrive, as long as that fits; then both stores are compared."""
    until = time.time() + min(AFTER, 2.5 * copy.pay_within)
    while time.time() < until:
        held = Reservation.objects.filter(item__sale=copy, status=Status.HELD).exists()
        if not held and not backstage.due:
            break
        time.sleep(0.5)
    deadline = time.time() + SETTLE
    while not reconcile.compare(sale_id=copy.pk).is_clean and time.time() < deadline:
        time.sleep(0.3)


def _measure(
    copy: Sale, cast: Cast, actors: list[Person], tally: Tally, backstage: Backstage, door: Door | None
) -> Outcome:
    return Outcome(
        seconds=cast.seconds,
        queue_peak=backstage.queue_peak,
        standby_peak=backstage.standby_peak,
        paid_within=copy.pay_within,
        worker_was_away=backstage.worker_is_away,
        stores_agree=reconcile.compare(sale_id=copy.pk).is_clean,
        browsers=cast.browsers if cast.farm else 0,
        farm_tries=door.tries if door else 0,
        farm_slowed=door.slowed if door else 0,
        **_of_people(actors),
        **_of_farm(actors),
        **_of_answers(tally),
        **_of_rows(copy),
        **_of_units(copy, actors),
    )


def _of_people(actors: list[Person]) -> dict[str, Any]:
    humans = [one for one in actors if one.kind not in MACHINES]
    bots = [one for one in actors if one.kind == "bot"]
    return {
        "people": len(humans),
        "late": round(_percentile(_lateness(humans), 0.95) / 1000, 1),
        "bots": len(bots),
        "human_units": sum(bool(one.rid) for one in humans),
        "bot_units": sum(bool(one.rid) for one in bots),
        "found_full": sum(one.last == "full" for one in humans),
        "still_waiting": sum(one.last == "queued" for one in humans),
        "turned_away": sum(one.last == "sold_out" for one in humans),
    }


def _lateness(humans: list[Person]) -> list[float]:
    """By how many seconds each came later than he meant to: so busy was the computer that played them."""
    return sorted(max(0.0, one.first_at - one.meant_at) for one in humans if one.first_at)


def _of_farm(actors: list[Person]) -> dict[str, Any]:
    farm = [one for one in actors if one.kind == "farm"]
    others = [one for one in actors if one.kind != "farm"]
    return {
        "farm": len(farm),
        "farm_in": sum(bool(one.token) for one in farm),
        "farm_units": sum(bool(one.rid) for one in farm),
        "others_in": sum(bool(one.token) for one in others),
    }


def _of_answers(tally: Tally) -> dict[str, Any]:
    waits = sorted(tally.waits)
    return {
        "answers": tally.answers.total(),
        "peak_answers": max(tally.by_second.values(), default=0),
        "pages": tally.pages.total(),
        "page_p95_ms": _percentile(sorted(tally.page_waits), 0.95),
        "p50_ms": _percentile(waits, 0.5),
        "p99_ms": _percentile(waits, 0.99),
        "lost": tally.of("lost"),
        "refusals": {name: tally.of(name) for name in REFUSALS},
        "tried_too_often": tally.of("slow_down") - sum(tally.of("slow_down", kind=one) for one in MACHINES),
        "bot_tries_refused": tally.of("slow_down", kind="bot"),
    }


def _of_rows(copy: Sale) -> dict[str, Any]:
    rows = Reservation.objects.filter(item__sale=copy)
    by_status = Counter(rows.values_list("status", flat=True))
    seconds = Counter(at.replace(microsecond=0) for at in rows.values_list("recorded_at", flat=True))
    lag = rows.aggregate(most=Max(F("recorded_at") - F("reserved_at")))["most"]
    return {
        "orders": rows.exclude(order=None).count(),
        "peak_orders": max(seconds.values(), default=0),
        "lag": round(lag.total_seconds(), 2) if lag else 0.0,
        "paid": by_status[Status.PAID],
        "expired": by_status[Status.EXPIRED],
        "promoted": rows.filter(promoted=True).count(),
    }


def _of_units(copy: Sale, actors: list[Person]) -> dict[str, Any]:
    quantities = dict(copy.items.values_list("pk", "quantity"))
    status = stock.run(stock.status(copy.pk, list(quantities)))
    got, quantity = sorted(one.got_at for one in actors if one.rid), sum(quantities.values())
    after = got[quantity - 1] - copy.opens_at.timestamp() if len(got) >= quantity else -1.0
    return {
        "quantity": quantity,
        "sold_out_after": round(after, 2),
        "store_calls": status.seq if status else 0,
    }


def _percentile(waits: list[float], share: float) -> float:
    """Return a percentile of sorted seconds, in ms; 0 of none."""
    return round(1000 * waits[min(len(waits) - 1, int(share * len(waits)))], 1) if waits else 0.0


def own_gate() -> str:
    """Return the address at which this shop's own gate answers."""
    return str(settings.REHEARSAL_GATE)
