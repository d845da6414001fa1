"""Shedding by lot at three real nodes in front of a real gate, with a real centre."""

import hmac
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from http.client import HTTPConnection
from threading import Event, Thread

import pytest
from django.db import connection
from django.utils import timezone
from django_redis import get_redis_connection

from accounts.models import User
from flashsale import shedding
from flashsale.models import SaleItem
from flashsale.tests.browsing import running_site
from flashsale.tests.conftest import MakeSale, MakeShoppers, units
from flashsale.tests.edges import KEY, attempts_seen, eventually, needs_nginx, running_edge, server
from flashsale.tests.gates import a_pass, ask, bearer, running_gate

pytestmark = [needs_nginx, pytest.mark.django_db(transaction=True), pytest.mark.slow]
NAMES = ("one", "two", "three")
CROWD, UNITS, SALES = 300, 5, 20


@pytest.fixture(scope="module")
def nodes(django_db_setup: None) -> Iterator[tuple[str, list[str]]]:
    with ExitStack() as roles:
        gate = roles.enter_context(running_gate())
        centre = roles.enter_context(running_site(EDGE_KEY=KEY))
        yield (
            gate,
            [
                roles.enter_context(running_edge(gate=gate, web=centre, EDGE_SHEDDING="1", EDGE_NAME=name))
                for name in NAMES
            ],
        )


def all_ask(nodes: list[str], item: SaleItem, users: list[User], method: str, path: str) -> Counter[str]:
    """Let every shopper ask once at his node, on one connection a node; count the answers by status."""
    shares = [users[at :: len(nodes)] for at in range(len(nodes))]

    def ask_all(node: str, mine: list[User]) -> Counter[str]:
        line, kinds = HTTPConnection(server(node), timeout=10), Counter[str]()
        for user in mine:
            line.request(method, path, headers=bearer(a_pass(item, user)))
            response = line.getresponse()
            response.read()
            kinds[str(response.status)] += 1
        line.close()
        return kinds

    with ThreadPoolExecutor(len(nodes)) as pool:
        return sum(pool.map(ask_all, nodes, shares), Counter())


def number_waiting(item: SaleItem) -> int:
    """How many shoppers the centre knows to wait."""
    rows = get_redis_connection("default").hgetall(f"edge:{item.sale_id}:reports")
    return sum(int(text.split()[0]) for text in rows.values())


def known_chance(item: SaleItem) -> float:
    """The chance that the centre tells; 1 while it does not tell all nodes."""
    rows = get_redis_connection("default").hgetall(f"edge:{item.sale_id}:chances")
    return min(map(float, rows.values())) if len(rows) == len(NAMES) else 1.0


def lot(item: SaleItem, user: User) -> float:
    """A shopper's lot as the nodes draw it."""
    digest = hmac.digest(KEY.encode(), f"lot.{item.sale_id}.{user.pk}".encode(), "sha1")
    return int.from_bytes(digest[:4], "big") / 2**32


@contextmanager
def beating() -> Iterator[None]:
    """Work the chances out every second, as beat and worker do."""
    is_over = Event()

    def beat() -> None:
        while not is_over.wait(0.5):
            shedding.work_out()
        connection.close()

    thread = Thread(target=beat)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def test_twenty_sales_leave_nothing_over_and_the_gate_hears_a_fraction(
    nodes: tuple[str, list[str]], make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    gate, edges = nodes
    crowd, opens_at = shoppers(CROWD), timezone.now() + timedelta(seconds=30)
    items = [make_sale(quantity=UNITS, opens_at=opens_at) for _ in range(SALES)]
    with beating():
        for item in items:
            for edge in edges:
                ask(edge, "GET", f"/gate/sales/{item.sale_id}")
            all_ask(edges, item, crowd, "GET", f"/gate/sales/{item.sale_id}/events")
        eventually(lambda: all(number_waiting(item) == CROWD for item in items))
        eventually(lambda: all(known_chance(item) < 1 for item in items))
        time.sleep(max(0, (opens_at - timezone.now()).total_seconds()) + 0.3)
        before = attempts_seen(gate)
        for item in items:
            path = f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt"
            answers = all_ask(edges, item, crowd, "POST", path)
            assert set(answers) <= {"201", "409"}, answers
        reached = attempts_seen(gate) - before
    assert [units(item)[0] for item in items] == [0] * SALES
    # How few depends on how long this machine takes: the longer a sale is open, the more are let through.
    assert UNITS * SALES <= reached < CROWD * SALES / 2


def test_a_shopper_gets_the_same_answer_however_often_and_wherever_he_asks(
    nodes: tuple[str, list[str]], make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    gate, edges = nodes
    crowd, opens_at = shoppers(CROWD), timezone.now() + timedelta(seconds=8)
    item = make_sale(quantity=UNITS, opens_at=opens_at)
    path = f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt"
    with beating():
        for edge in edges:
            ask(edge, "GET", f"/gate/sales/{item.sale_id}")
        all_ask(edges, item, crowd, "GET", f"/gate/sales/{item.sale_id}/events")
        eventually(lambda: known_chance(item) < 1)
        time.sleep(max(0, (opens_at - timezone.now()).total_seconds()) + 0.3)
        chance = known_chance(item)
        unlucky = max(crowd, key=lambda user: lot(item, user))
        lucky = min(crowd, key=lambda user: lot(item, user))
        assert lot(item, lucky) < chance < lot(item, unlucky)
        before = attempts_seen(gate)
        for edge in (*edges, *edges):
            assert ask(edge, "POST", path, bearer(a_pass(item, unlucky)))[0] == 409
        assert attempts_seen(gate) == before
        assert ask(edges[1], "POST", path, bearer(a_pass(item, lucky)))[0] == 201


def test_a_node_that_cannot_reach_the_centre_forwards_everybody(
    nodes: tuple[str, list[str]], make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    gate, _ = nodes
    crowd = shoppers(40)
    item = make_sale(quantity=40)
    with running_edge(gate=gate, web="http://127.0.0.1:9", EDGE_SHEDDING="1", EDGE_NAME="alone") as alone:
        all_ask([alone], item, crowd, "GET", f"/gate/sales/{item.sale_id}/events")
        time.sleep(1.5)  # it has tried to report
        path = f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt"
        assert all_ask([alone], item, crowd, "POST", path) == {"201": 40}
