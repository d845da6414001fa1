"""A crowd in line: served in the order of its tickets, whatever the operator and the gate do meanwhile."""

import asyncio
import threading
import time
from collections.abc import Callable, Sequence

import pytest
from django.db import connection

from flashsale import crowd, scheduling, stock
from flashsale.models import SaleItem
from flashsale.queue import Queue
from flashsale.tests.conftest import MakeSale
from flashsale.tests.gates import running_gate

pytestmark = pytest.mark.django_db(transaction=True)
EARLY_MS = 300
"""Who asked so long before his turn was there when it came, however busy this machine is."""


def storm(
    gate: str, item: SaleItem, *, shoppers: int, seconds: float, patience: int = 0
) -> list[crowd.Outcome]:
    users = crowd.make_shoppers(shoppers)
    passes = dict(zip(users, crowd.issue_passes(item.sale, users), strict=True))
    return asyncio.run(
        crowd.storm(
            gate=gate,
            path=f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt",
            passes=passes,
            tries=1,
            seconds=seconds,
            tell=lambda _: None,
            connections=600,
            patience=patience,
        )
    )


def tickets_of(item: SaleItem) -> dict[int, int]:
    found = stock.run(stock.line(item.sale_id, 0, 10_000))
    return dict(found)


def queue_of(item: SaleItem) -> Queue:
    status = stock.run(stock.status(item.sale_id, [item.pk]))
    assert status is not None
    assert status.queue is not None
    return status.queue


def order_of_service(
    item: SaleItem, outcomes: Sequence[crowd.Outcome], queue: Queue | None = None
) -> list[int]:
    """The tickets of those who were there at their turn, in the order in which they got their units.

    `queue` is a look at the line before it was empty: from then on its last segment begins anew.
    """
    tickets = tickets_of(item)
    queue = queue or queue_of(item)
    served = []
    for outcome in outcomes:
        if outcome.last != "reserved":
            continue
        ticket, told = tickets[outcome.user], outcome.answers[-1][1]
        if queue.turn_at(ticket) - outcome.asked[-1] >= EARLY_MS:
            served.append((int(told["reservation"].split("-")[2]), ticket))
    return [ticket for _, ticket in sorted(served)]


def meanwhile(*acts: tuple[float, Callable[[], object]]) -> threading.Thread:
    """Do something every so many seconds, beside the crowd."""

    def run() -> None:
        for wait, act in acts:
            time.sleep(wait)
            act()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_the_order_of_service_is_the_order_of_the_tickets(make_sale: MakeSale) -> None:
    item = make_sale(quantity=1100, rate=200)
    with running_gate() as gate:
        outcomes = storm(gate, item, shoppers=1200, seconds=1.0)
    assert crowd.count(outcomes) == {"reserved": 1100, "sold_out": 100}
    order = order_of_service(item, outcomes)
    assert len(order) > 500
    assert order == sorted(order)
    waited = [outcome for outcome in outcomes if len(outcome.answers) > 1]
    assert len(waited) > 500, "there was a line"
    assert max(len(outcome.answers) for outcome in outcomes) <= 3, "nobody asks but for his turn"


def test_rate_pause_and_resume_in_mid_sale_let_nobody_overtake(make_sale: MakeSale) -> None:
    item = make_sale(quantity=2000, rate=100)
    sale = item.sale_id
    with running_gate() as gate:
        operator = meanwhile(
            (1.0, lambda: scheduling.set_rate(sale_id=sale, rate=200)),
            (1.0, lambda: scheduling.pause(sale_id=sale)),
            (0.7, lambda: scheduling.resume(sale_id=sale)),
            (0.5, lambda: scheduling.set_rate(sale_id=sale, rate=400)),
        )
        outcomes = storm(gate, item, shoppers=1000, seconds=0.8)
        operator.join()
    reserved = [outcome for outcome in outcomes if outcome.last == "reserved"]
    assert len(reserved) + crowd.count(outcomes)["paused"] == 1000
    assert len(reserved) > 800
    order = order_of_service(item, outcomes)
    assert order == sorted(order)


def test_a_gate_that_dies_costs_nobody_his_place(make_sale: MakeSale) -> None:
    item = make_sale(quantity=1000, rate=100)
    with running_gate() as gate:
        first = storm(gate, item, shoppers=100, seconds=0.2)
    tickets = tickets_of(item)
    with running_gate() as gate:
        again = storm(gate, item, shoppers=300, seconds=0.2)
    assert crowd.count(first) == {"reserved": 100}
    assert crowd.count(again) == {"reserved": 300}
    after = tickets_of(item)
    assert {user: after[user] for user in tickets} == tickets
    told = {outcome.user: outcome.answers[-1][1]["reservation"] for outcome in again}
    assert all(told[one.user] == one.answers[-1][1]["reservation"] for one in first)
