"""Shedding by lot: what the centre works out, and that no unit is left over for it."""

import math
import random
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from flashsale import shedding
from flashsale.queue import Queue, Segment
from flashsale.replies import ItemStatus, Status
from flashsale.shedding import RISK, Everybody, chance, chances, why_everybody
from flashsale.tests.conftest import MakeSale
from flashsale.tests.edges import KEY

NODES = ("one", "two", "three")
HOUR = 3_600_000


def seen(
    *,
    free: int,
    second: float = 0.0,
    standby: int = 0,
    ends_in: int = HOUR,
    items: int = 1,
    queue: Queue | None = None,
) -> Status:
    """A sale as the store tells it, so many seconds after its opening (negative: before it)."""
    now = 1_000_000_000_000
    one = ItemStatus(quantity=100, free=free, held=100 - free, paid=0, returned=0, standby=0)
    return Status(
        now=now,
        epoch=1,
        seq=1,
        phase="open",
        opens_at=int(now - second * 1000),
        closes_at=now + ends_in,
        standby_size=standby,
        pay_within=600,
        paused=False,
        queue=queue,
        items=MappingProxyType(dict.fromkeys(range(1, items + 1), one)),
    )


def too_few(units: int, crowd: int, p: float) -> float:
    """The true probability that fewer than `units` of `crowd` are forwarded."""
    total = 0.0
    for k in range(units):
        ways = math.lgamma(crowd + 1) - math.lgamma(k + 1) - math.lgamma(crowd - k + 1)
        total += math.exp(ways + k * math.log(p) + (crowd - k) * math.log1p(-p))
    return total


@pytest.mark.parametrize(
    ("units", "crowd"), [(1, 1000), (5, 150), (100, 50_000), (100, 1_000_000), (1000, 5000)]
)
def test_the_chance_holds_the_risk_and_is_not_much_more_than_it_must_be(units: int, crowd: int) -> None:
    p = chance(units, crowd)
    assert too_few(units, crowd, p) <= RISK * (1 + 1e-9)  # for one unit the bound is exact
    assert too_few(units, crowd, p * 0.9) > RISK / 100  # the bound wastes little


def test_a_crowd_that_is_no_crowd_is_forwarded() -> None:
    assert chance(100, 100) == chance(100, 0) == chance(0, 1000) == 1.0


def test_every_node_gets_the_same_and_a_chance_never_falls() -> None:
    waiting = {"one": 90_000, "two": 9_000, "three": 1_000}
    first = chances(seen(free=100), waiting, {})
    assert set(first) == set(NODES)
    assert len(set(first.values())) == 1
    assert first["one"] == pytest.approx(chance(100, 50_000))
    assert chances(seen(free=10, second=1), waiting, first) == first


def test_a_chance_falls_while_the_crowd_gathers_and_never_once_the_sale_has_opened() -> None:
    told = dict[str, float]()
    for gathered in (10, 1_000, 50_000, 100_000):
        told = chances(seen(free=100, second=-5), dict.fromkeys(NODES, gathered), told)
        assert told["one"] == chance(100, gathered * 3 // 2)
    grown = dict.fromkeys(NODES, 500_000)
    assert chances(seen(free=100), grown, told) == told
    assert chances(seen(free=100, second=-5), grown, told)["one"] < told["one"]


def test_the_longer_it_takes_the_more_are_forwarded_and_at_the_last_call_everybody() -> None:
    waiting = dict.fromkeys(NODES, 1000)
    found = [chances(seen(free=50, second=second), waiting, {})["one"] for second in (0, 10, 20, 60)]
    assert found == sorted(found)
    assert found[-1] == 1.0
    assert chances(seen(free=50, ends_in=30_000), waiting, {})["one"] == 1.0


def test_standby_is_filled_too() -> None:
    waiting = dict.fromkeys(NODES, 10_000)
    with_standby = chances(seen(free=50, standby=50), waiting, {})["one"]
    assert with_standby == pytest.approx(chance(100, 15_000))


LINE = Queue([Segment(0, 0, 50)], tickets=0, rate=50, limit=None, tie_band=0, lots_at_open=False, key="k")


@pytest.mark.parametrize(
    ("sale", "reason"),
    [
        (seen(free=100, items=2), Everybody.ITEMS),
        (seen(free=100, queue=LINE), Everybody.LINE),
        (seen(free=100, items=2, queue=LINE), Everybody.LINE),
    ],
)
def test_several_items_and_lines_forward_everybody(sale: Status, reason: Everybody) -> None:
    assert why_everybody(items=len(sale.items), has_line=sale.queue is not None) is reason
    assert set(chances(sale, dict.fromkeys(NODES, 100_000), {}).values()) == {1.0}


def test_control_a_lot_for_several_items_leaves_units_of_the_one_that_few_want() -> None:
    # Ten units, wanted by just as many: with any chance below 1 in 10^7 too small, some are left over.
    assert 1 - 0.99**10 > 0.09
    assert too_few(10, 10, 1 - 1e-5) > RISK
    lots, units, wanted = random.Random(7), 50, (99_000, 1_000)
    p = chance(units, sum(wanted) // 2)  # what the sale would get, were it of one item
    left = [[max(0, units - forwarded(crowd, 0.0, p, lots)) for crowd in wanted] for _ in range(100)]
    assert sum(popular for popular, _ in left) == 0
    assert all(unpopular for _, unpopular in left)


def test_control_a_line_may_be_left_by_those_who_were_forwarded() -> None:
    # Forwarded is not sold: half of those with a ticket do not come back, and who was refused is gone.
    lots, units, crowd = random.Random(7), 100, 50_000
    came = [forwarded(forwarded(crowd, 0.0, chance(units, crowd), lots), 0.0, 0.5, lots) for _ in range(100)]
    assert sum(number < units for number in came) > 50


def forwarded(number: int, low: float, high: float, lots: random.Random) -> int:
    """How many of so many shoppers have a lot from `low` to `high`, one by one by their gaps."""
    p, count, at = high - low, 0, 0
    if p <= 0 or number <= 0:
        return 0
    while p < 1:
        at += 1 + int(math.log(1 - lots.random()) / math.log1p(-p))
        if at > number:
            return count
        count += 1
    return number


def run_a_sale(lots: random.Random, *, units: int, crowd: int, share: float) -> tuple[int, int]:
    """Play a sale by the second; return units left over and attempts that reached the gate.

    `share` of the crowd presses, at times that are exponential with a mean of three seconds; who is refused
    goes away for good, the worst that can happen.
    """
    waiting, free, reached = crowd, units, 0
    to_press, told = int(crowd * share), dict[str, float]()
    for second in range(120):
        told = chances(seen(free=free, second=second), dict.fromkeys(NODES, waiting // 3), told)
        pressing = to_press if second == 119 else round(to_press * (1 - math.exp(-1 / 3)))
        came = forwarded(pressing, 0.0, told["one"], lots)
        to_press, waiting, reached = to_press - pressing, waiting - pressing, reached + came
        free = max(0, free - came)
        if free == 0:
            break
    return free, reached


def test_a_thousand_simulated_sales_of_100_units_to_100_000_leave_none_over() -> None:
    lots = random.Random(7)
    sales = [run_a_sale(lots, units=100, crowd=100_000, share=lots.uniform(0.5, 1)) for _ in range(1000)]
    assert [left for left, _ in sales if left] == []
    # What reaches the gate is some hundreds of the tens of thousands that press.
    mean = sum(reached for _, reached in sales) / len(sales)
    assert 100 <= mean <= 100_000 * chance(100, 50_000)


def test_the_control_a_chance_that_only_expects_enough_leaves_units_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(shedding, "chance", lambda units, crowd: min(1.0, units / max(1, crowd)))
    monkeypatch.setattr(shedding, "PRESSING", 1.0)
    lots = random.Random(7)
    sales = [run_a_sale(lots, units=100, crowd=100_000, share=0.9) for _ in range(50)]
    assert any(left for left, _ in sales)


@pytest.mark.django_db(transaction=True)
@override_settings(EDGE_KEY=KEY)
def test_a_report_is_answered_with_the_chance_that_was_worked_out(
    client: Client, make_sale: MakeSale
) -> None:
    item = make_sale(quantity=10, opens_at=timezone.now())
    body = f"one\n{item.sale_id} 5000 3\n"
    assert report(client, body) == (200, "")
    shedding.work_out()
    status, text = report(client, body)
    sale, told = text.split()
    assert (status, int(sale)) == (200, item.sale_id)
    assert float(told) == pytest.approx(chance(10, 2500), rel=0.2)
    assert report(client, f"two\n{item.sale_id} 1 0\n") == (200, "")  # not worked out for this node yet


@pytest.mark.django_db
@override_settings(EDGE_KEY=KEY)
@pytest.mark.parametrize("body", ["", "one\nx y z\n", "one\n1 2\n", "n" * 65, "é\n1 2 3\n"])
def test_a_report_that_is_none_is_told_so(client: Client, body: str) -> None:
    status, text = report(client, body)
    assert (status, text) == (400, "A report is a name and lines of three numbers.\n")


@pytest.mark.django_db
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}])
def test_nobody_else_may_report(client: Client, headers: Mapping[str, str]) -> None:
    for key in (KEY, ""):
        with override_settings(EDGE_KEY=key):
            answer = client.post("/edge/report", "one\n", content_type="text/plain", headers=dict(headers))
            assert answer.status_code == 404


def report(client: Client, body: str) -> tuple[int, str]:
    """Report as a node does."""
    answer = client.post(
        "/edge/report", body.encode(), content_type="text/plain", headers={"Authorization": f"Bearer {KEY}"}
    )
    return answer.status_code, answer.content.decode()
