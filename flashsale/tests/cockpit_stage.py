"""Sales as the cockpit shows them: coming, small, large, paused, ended; with what was rehearsed and done."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db.models import F
from django.utils import timezone

from accounts.models import User
from flashsale import crowd, draining, entry, operating, pacing, reservations, scheduling, stock
from flashsale.models import (
    Entrance,
    Rehearsal,
    Reservation,
    Sale,
    SaleItem,
    Sample,
    WhitelistEntry,
)
from flashsale.pauses import Why
from flashsale.rehearsal.verdict import Outcome
from flashsale.tests.conftest import attempt, let_the_deadline_pass, pay, win
from flashsale.tests.staged import Cast
from flashsale.tests.test_rehearsal import GOOD
from shop.orders.models import Order

BIG, TAKEN, PAID = 20_000, 10_000, 9_360
COMERS = 20_000
MINUTES = 12
REFUSED = {"account": 2_130, "browser": 29_480, "network": 54_012, "work": 77}


def named(item: SaleItem, title: str, product: str) -> SaleItem:
    """Give a sale and its product names as a shop has them."""
    Sale.objects.filter(pk=item.sale_id).update(title=title)
    type(item.variant.product).objects.filter(pk=item.variant.product_id).update(title=product)
    return SaleItem.objects.select_related("sale", "variant__product").get(pk=item.pk)


def planned(cast: Cast, mei: User) -> SaleItem:
    """A draft with rules, a list, a line, and a sale that it clashes with; rehearsed twice."""
    now = timezone.now().replace(minute=0, second=0, microsecond=0)
    opens_at = now + timedelta(days=3)
    fields = {"opens_at": opens_at, "closes_at": opens_at + timedelta(hours=2)}
    item = cast.make_sale(
        quantity=100,
        scheduled=False,
        rate=200,
        standby_size=50,
        pay_within=600,
        min_account_days=30,
        min_level=2,
        whitelist_only=True,
        **fields,
    )
    item = named(item, "Arc lamp, first hundred", "Arc desk lamp")
    WhitelistEntry.objects.bulk_create(
        WhitelistEntry(sale=item.sale, email=f"friend-{n}@example.com") for n in range(1_250)
    )
    other = named(cast.make_sale(quantity=20, **fields), "Lamps of the week", "Desk lamp")
    SaleItem.objects.create(sale=other.sale, variant=item.variant, price=5_900, quantity=5)
    _rehearsed(item, mei, GOOD)
    bad = replace(GOOD, bot_units=61, human_units=39, lag=12.4, p99_ms=1_480, lost=71, found_full=0)
    _rehearsed(item, mei, replace(bad, refusals={"slow_down": 41_030, "sold_out": 1_730, "queued": 212}))
    return item


def _rehearsed(item: SaleItem, mei: User, seen: Outcome) -> None:
    row = Rehearsal.objects.create(sale=item.sale, by=mei, cast={"shoppers": 2_000}, outcome=seen.document())
    Rehearsal.objects.filter(pk=row.pk).update(ended_at=timezone.now())


def coming(cast: Cast, mei: User) -> SaleItem:
    """A scheduled sale that opens in twenty minutes, in which a rehearsal runs."""
    now = timezone.now()
    item = cast.make_sale(
        quantity=40, rate=20, opens_at=now + timedelta(minutes=20), closes_at=now + timedelta(days=2)
    )
    item = named(item, "Oak boards on Friday", "Oak board and knife")
    Rehearsal.objects.create(sale=item.sale, by=mei, cast={"shoppers": 2_000})
    return item


def small(cast: Cast, mei: User) -> SaleItem:
    """Ten units and fourteen people, half an hour into the sale: some paid, some hold, some stand by."""
    item = named(cast.make_sale(quantity=10, standby_size=5), "Ten bird houses", "Bird house")
    people = cast.shoppers(14)
    Sale.objects.filter(pk=item.sale_id).update(opens_at=timezone.now() - timedelta(minutes=30))
    for place, one in enumerate(people):
        entry.remember(user=one, sale=item.sale, address=f"192.0.2.{place}")
    rids = win(item, *people[:10])
    attempt(item, *people[10:])
    draining.drain_once(sale_id=item.sale_id)
    for rid in rids[:6]:
        pay(rid)
    let_the_deadline_pass(rids[9])
    reservations.expire_due()
    draining.drain_once(sale_id=item.sale_id)
    operating.pause(sale=item.sale, by=mei)
    operating.resume(sale=Sale.objects.get(pk=item.sale_id), by=mei)
    begin = timezone.now() - timedelta(minutes=29)
    for second, taken in enumerate((0, 2, 5, 9, 10)):
        _sampled(
            item,
            begin + timedelta(seconds=90 * second),
            free=10 - taken,
            held=taken,
            outcomes={"reserved": taken, "standby": max(0, second - 2)},
        )
    return item


def large(cast: Cast, mei: User) -> SaleItem:
    """20,000 people: half of them have a unit, the others wait in a line that was slowed down."""
    item = cast.make_sale(quantity=BIG, rate=1_000_000, standby_size=500, pay_within=600)
    item = named(item, "Twenty thousand jumpers", "Fisher jumper")
    users = crowd.make_shoppers(COMERS)
    _attempt(item, users[:TAKEN])
    while draining.drain_once(sale_id=item.sale_id):
        pass
    pacing.set_rate(sale=Sale.objects.get(pk=item.sale_id), rate=150, by=mei, seen=None)
    _attempt(item, users[TAKEN:])
    rows = Reservation.objects.filter(item=item).order_by("pk")
    paid = list(rows.values_list("pk", "rid", "user_id")[:PAID])
    now = timezone.now()
    Reservation.objects.filter(pk__in=[row[0] for row in paid]).update(status="paid", ended_at=now)
    Order.objects.filter(reservation__in=[row[0] for row in paid]).update(status="paid", paid_at=now)
    SaleItem.objects.filter(pk=item.pk).update(held=F("held") - PAID, paid=F("paid") + PAID)
    stock.run_all([stock.pay(item.sale_id, item.pk, user=user, rid=rid) for _pk, rid, user in paid])
    Sale.objects.filter(pk=item.sale_id).update(opens_at=now - timedelta(minutes=MINUTES))
    _storm(item)
    return item


def _attempt(item: SaleItem, users: Sequence[int]) -> None:
    for first in range(0, len(users), 1_000):
        pairs = [(item.pk, user) for user in users[first : first + 1_000]]
        stock.run(stock.attempt(item.sale_id, pairs, per_minute=30))


def _storm(item: SaleItem) -> None:
    """A look a second of a million attempts: one second of forty thousand, then fewer and fewer."""
    draw, rows, now = Random(1), [], timezone.now()
    counted = dict.fromkeys(("queued", "reserved", "slow_down", "refused"), 0)
    for second in range(MINUTES * 60):
        new = 40_000 if second == 30 else 9_000 if second < 60 else int(1_100 * draw.random())
        taken = min(TAKEN, 200 * second)
        paid = min(PAID, taken, second * 16)
        counted["reserved"], counted["refused"] = taken, min(second, 7)
        counted["queued"] += new * 4 // 5
        counted["slow_down"] += new // 5
        rows.append(
            Sample(
                sale=item.sale,
                at=now - timedelta(seconds=MINUTES * 60 - second),
                free=BIG - taken,
                held=taken - paid,
                paid=paid,
                returned=0,
                standby=0,
                issued=min(COMERS, 900 * second),
                served=taken,
                outcomes={name: count for name, count in counted.items() if count},
                refused=REFUSED,
                shoppers=COMERS,
                tries=[7_000, 5_000, 4_000, 2_500, 900, 500, 90],
            )
        )
    Sample.objects.bulk_create(rows)
    entry_too = {stock.REFUSED + name: count for name, count in REFUSED.items()}
    stock.run(stock.count(item.sale_id, counted | entry_too, []))


def _sampled(item: SaleItem, at: datetime, **fields: Any) -> None:
    Sample.objects.create(sale=item.sale, at=at, **{"paid": 0, "returned": 0, "standby": 0} | fields)


def paused(cast: Cast, mei: User) -> SaleItem:
    """A sale that stands still for a reason, with people in line."""
    item = named(cast.make_sale(quantity=200, rate=1), "Pepper mills", "Pepper mill")
    attempt(item, *cast.shoppers(60))
    why = Why("check", "Crates are being counted.", timezone.now() + timedelta(minutes=4))
    operating.pause(sale=item.sale, by=mei, why=why)
    return item


def ended(cast: Cast, mei: User, *, unfair: bool) -> SaleItem:
    """A sale of 120 units to 800 people that is over; where `unfair`, old accounts got most."""
    item = cast.make_sale(quantity=120, rate=50, shuffle_at_open=True, standby_size=10)
    item = named(item, "Enamel pots, unfair" if unfair else "Enamel pots", "Enamel pot")
    people, draw, now = cast.shoppers(800), Random(7), timezone.now()
    for one in people:
        one.date_joined = now - timedelta(days=draw.choice((3, 20, 60, 200, 500)))
        one.level = draw.choice((1, 1, 2, 3))
    User.objects.bulk_update(people, ["date_joined", "level"])
    order = draw.sample(people, len(people))
    if unfair:
        order.sort(key=lambda one: (one.date_joined > now - timedelta(days=300), draw.random() < 0.5))
    Entrance.objects.bulk_create(
        Entrance(
            sale=item.sale,
            user=one,
            network=f"198.51.{place % 90}.0/24",
            at=now - timedelta(seconds=draw.random() * 300),
        )
        for place, one in enumerate(people)
    )
    _sold(item, order)
    operating.close(sale=Sale.objects.get(pk=item.sale_id), by=mei)
    return item


def _sold(item: SaleItem, order: Sequence[User]) -> None:
    Sale.objects.filter(pk=item.sale_id).update(rate=None, shuffle_at_open=False)
    scheduling.set_rate(sale_id=item.sale_id, rate=None)
    rids = win(item, *order[:120])
    attempt(item, *order[120:135])
    draining.drain_once(sale_id=item.sale_id)
    for rid in rids[:20]:
        pay(rid)
    Reservation.objects.filter(rid__in=rids[20:90]).update(status="paid", ended_at=timezone.now())
    SaleItem.objects.filter(pk=item.pk).update(held=F("held") - 70, paid=F("paid") + 70)
    let_the_deadline_pass(*rids[110:])
    reservations.expire_due()
    draining.drain_once(sale_id=item.sale_id)
    begin = timezone.now() - timedelta(minutes=4)
    for second in range(60):
        taken = min(120, second * 4)
        _sampled(
            item,
            begin + timedelta(seconds=second),
            free=120 - taken,
            held=taken,
            issued=min(800, second * 30),
            served=min(800, second * 15),
            outcomes={"reserved": taken, "queued": second * 60, "sold_out": max(0, second - 30) * 20},
            refused={"network": 30 * second},
            shoppers=800,
            tries=[300, 200, 150, 100, 40, 9, 1],
        )
    Sale.objects.filter(pk=item.sale_id).update(shuffle_at_open=True, rate=50)
