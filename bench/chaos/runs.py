"""The runs themselves: one sale a seed, its storm, its faults, the healing and the verdict."""

import asyncio
import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
if not apps.ready:
    django.setup()

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connections
from django.utils import timezone

from accounts.models import User
from accounts.sessions import SessionStore
from bench.chaos import faults, plan, witness
from bench.chaos.faults import Scene, Turns
from bench.chaos.plan import Plan
from bench.chaos.result import Result
from bench.chaos.shoppers import Crowd
from bench.chaos.world import World
from bench.check.events import HistoryError, Writer, read
from bench.check.history import History
from bench.check.people import displaced
from bench.check.verdict import check
from bench.visitors import BACKEND
from flashsale import crowd, scheduling
from flashsale.models import Reservation, Sale, SaleItem
from shop.catalogue.models import Product, Variant
from shop.orders import outbox, refunds
from shop.orders.models import OutboxMail, Payment
from shop.up.messages import say

PRICE = 4900
SETTLE_SECONDS = 30.0
MOST_SHOPPERS = 241


class Runs:
    """Runs one seed after the other in a world that stays up."""

    def __init__(self, world: World, *, keep: Path) -> None:
        self.world, self.keep = world, keep
        self.result = Result()
        self.phases: list[float] = []
        self.shoppers = crowd.make_shoppers(MOST_SHOPPERS)
        self.sessions = dict(_sessions(self.shoppers))

    def run(self, drawn: Plan) -> None:
        """Let one sale run, judge it and tell; a history that was found wrong is kept."""
        started = time.monotonic()
        path = self.keep / f"seed-{drawn.seed}.jsonl"
        path.unlink(missing_ok=True)
        history = Writer(path, run=f"seed-{drawn.seed}", seed=drawn.seed, proc="chaos")
        item = _open_sale(drawn)
        try:
            found = self._play(drawn, item, history)
        finally:
            history.close()
            self.world.heal()
        found += self._judge(path)
        witness.close(item.sale)
        self._tell(drawn, found, time.monotonic() - started)
        if not found:
            path.unlink()

    def _play(self, drawn: Plan, item: SaleItem, history: Writer) -> list[str]:
        users = self.shoppers[: drawn.shoppers + 1]
        passes = dict(zip(users, crowd.issue_passes(item.sale, users), strict=True))
        _write_sale(history, item, drawn)
        observer = witness.Observer(history, item)
        shoppers = Crowd(
            self.world, drawn, history, item.sale_id, item.pk, item.sale.slug, self.sessions, passes
        )
        prober = users[-1]
        del passes[prober]
        try:
            marks = [time.monotonic()]
            asyncio.run(self._storm(drawn, item, history, shoppers))
            marks.append(time.monotonic())
            self.world.heal()
            marks.append(time.monotonic())
            connections.close_all()  # ours were cut too
            _write_outages(history, self.world)
            faults.resume(history, item)
            history.write("ok", "heal")
            healed = timezone.now()
            passes[prober] = next(iter(crowd.issue_passes(item.sale, [prober])))
            asyncio.run(_probe(shoppers, prober))
            asyncio.run(shoppers.come_back())
            _send_money_back()
            is_settled = witness.conclude(
                history,
                item,
                self.world.postbox,
                seconds=SETTLE_SECONDS,
                halfway=partial(_let_leases_end, healed=healed),
            )
            marks.append(time.monotonic())
            self.phases = [round(after - before, 1) for before, after in pairwise(marks)]
            _write_outages(history, self.world)
        finally:
            observer.stop()
        history.write("ok", "end", n=shoppers.asked)
        return _orderless(item) if is_settled else ["the stores never came to rest"]

    async def _storm(self, drawn: Plan, item: SaleItem, history: Writer, shoppers: Crowd) -> None:
        chance = Random(drawn.seed)  # noqa: S311 - the same seed, the same faults
        turns: Turns = defaultdict(asyncio.Lock)
        scenes = [Scene(self.world, history, item, chance, fault, turns) for fault in drawn.faults]
        injected = [faults.inject(scene, number) for number, scene in enumerate(scenes)]
        await asyncio.gather(shoppers.storm(), *injected)

    def _judge(self, path: Path) -> list[str]:
        try:
            events = read([path])
            found = [f"{violation.predicate}: {violation.sentence}" for violation in check(events)]
            history = History(events)
        except HistoryError as error:
            return [str(error)]
        self.result.outcomes.update(call.outcome for call in history.attempts)
        self.result.ends.update(row.status for row in history.rows.values())
        self.result.attempts += len(history.attempts)
        self.result.kept += _kept(history)
        assert displaced(history) == Counter(row.status for row in history.rows.values())["displaced"]  # noqa: S101
        return found

    def _tell(self, drawn: Plan, found: list[str], seconds: float) -> None:
        result = self.result
        result.runs += 1
        result.seconds += seconds
        result.faults.update(fault.name for fault in drawn.faults)
        result.violations += [f"seed {drawn.seed}: {sentence}" for sentence in found]
        names = ", ".join(fault.name for fault in drawn.faults)
        storm, heal, rest = self.phases
        took = f"storm {storm} s, heal {heal} s, rest {rest} s, all {seconds:.1f} s"
        say(f"  seed {drawn.seed}: {drawn.shoppers} for {drawn.units}; {names}; {took}")
        if found:
            say(f"    {json.dumps(drawn.words())}")
        for sentence in found[:12]:
            say(f"    VIOLATION {sentence[:400]}")


def _sessions(users: list[int]) -> Iterator[tuple[int, str]]:
    """Log every shopper in."""
    for user in User.objects.filter(pk__in=users):
        session = SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = BACKEND
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save(must_create=True)
        yield user.pk, str(session.session_key)


def _open_sale(drawn: Plan) -> SaleItem:
    now = timezone.now()
    name = f"chaos-{drawn.seed}-{now.timestamp():.0f}"
    product = Product.objects.create(handle=name, title=name, kind=Product.Kind.COLLECTED)
    variant = Variant.objects.create(product=product, sku=name.upper(), price=9000, stock=drawn.units)
    sale = Sale.objects.create(
        slug=name,
        title=name,
        captcha=False,
        opens_at=now - timedelta(seconds=1),
        closes_at=now + timedelta(hours=1),
        pay_within=drawn.pay_within,
        standby_size=drawn.standby,
        rate=drawn.rate,
    )
    item = SaleItem.objects.create(sale=sale, variant=variant, price=PRICE, quantity=drawn.units)
    scheduling.schedule(sale=sale)
    return item


def _write_sale(history: Writer, item: SaleItem, drawn: Plan) -> None:
    sale = item.sale
    v = {
        "items": {str(item.pk): {"quantity": item.quantity, "price": item.total, "limit": item.limit}},
        "opens_at": round(sale.opens_at.timestamp() * 1000),
        "closes_at": round(sale.closes_at.timestamp() * 1000),
        "pay_within": sale.pay_within * 1000,
        "now": round(time.time() * 1000),
        "plan": drawn.words(),
    }
    history.write("ok", "sale", sale=sale.pk, epoch=1, v=v)


async def _probe(shoppers: Crowd, user: int) -> None:
    for _ in range(60):
        if await shoppers.probe(user):
            return
        await asyncio.sleep(0.5)


def _write_outages(history: Writer, world: World) -> None:
    """Whatever was started again was down: killed by a fault, or ended by itself because of one."""
    while world.outages:
        name, start, end = world.outages.pop()
        v = {"component": "store" if name == "valkey" else name.partition("-")[0]}
        fields: dict[str, Any] = {"id": f"{name}-{start}", "outcome": f"{name} was down", "v": v}
        history.write("invoke", "fault", t=start, **fields)
        history.write("ok", "fault", t=end, **fields)


def _kept(history: History) -> int:
    """Count the reservations that were told before the first fault and once more when all was healed."""
    began, healed = history.of["fault"][0].t, history.of["heal"][0].t
    calls = history.acknowledged.values()
    return sum(found[0].told_at < began and found[-1].invoke.t > healed for found in calls)


def _orderless(item: SaleItem) -> list[str]:
    """Whoever holds or has paid a unit has an order (the row allows one at most)."""
    rows = Reservation.objects.filter(item=item, status__in=["held", "paid"], order=None)
    return [f"{rid} has no order" for rid in rows.values_list("rid", flat=True)]


def _send_money_back() -> None:
    """Bring the tries forward that would come within seconds or minutes; the provider is in this process."""
    owed = Payment.objects.filter(refund_next_try_at__isnull=False)
    owed.update(refund_next_try_at=timezone.now() - timedelta(seconds=1))
    refunds.send_due()


def _let_leases_end(history: Writer, *, healed: datetime) -> None:
    """Let the time be over in which a mail is a worker's who died with it: five minutes in a shop.

    A lease that was taken after the heal is left alone: its worker lives and sends the mail right now.
    """
    fields: dict[str, Any] = {"id": "leases", "outcome": "leases end", "v": {"component": "worker"}}
    history.write("invoke", "fault", **fields)
    pending = OutboxMail.objects.filter(status=OutboxMail.Status.PENDING)
    pending.filter(next_try_at__lt=healed + outbox.LEASE).update(next_try_at=timezone.now())
    _send_money_back()
    history.write("ok", "fault", **fields)


def run_all(world: World, *, first: int, seeds: int, only: str, keep: Path) -> Result:
    """Run so many seeds and return what was found."""
    runs = Runs(world, keep=keep)
    for seed in range(first, first + seeds):
        runs.run(plan.of(seed, only=only))
    return runs.result
