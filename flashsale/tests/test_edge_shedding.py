"""Shedding by lot at three real nodes in front of a real gate, with a real centre."""

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from http.client import HTTPConnection

import pytest
from django.utils import timezone

from accounts.models import User
from flashsale.models import SaleItem
from flashsale.tests.browsing import running_site
from flashsale.tests.conftest import MakeSale, MakeShoppers, units
from flashsale.tests.edges import KEY, attempts_seen, eventually, needs_nginx, running_edge, server
from flashsale.tests.gates import a_pass, ask, bearer, running_gate, running_live
from flashsale.tests.lots import NAMES, beating, known_chance, lot, number_waiting
from flashsale.tests.pages import logged_in
from flashsale.tests.streams import Stream

pytestmark = [needs_nginx, pytest.mark.django_db(transaction=True), pytest.mark.slow]
CROWD, UNITS, SALES = 300, 5, 20


@pytest.fixture(scope="module")
def nodes(django_db_setup: None) -> Iterator[tuple[str, list[str]]]:
    with ExitStack() as roles:
        gate = roles.enter_context(running_gate())
        live = server(roles.enter_context(running_live()))
        centre = roles.enter_context(running_site(EDGE_KEY=KEY))

        def node(name: str) -> str:
            edge = running_edge(gate=gate, web=centre, EDGE_LIVE=live, EDGE_SHEDDING="1", EDGE_NAME=name)
            return roles.enter_context(edge)

        yield gate, [node(name) for name in NAMES]


def shares(nodes: list[str], users: list[User]) -> list[list[User]]:
    """Deal shoppers out to nodes."""
    return [users[at :: len(nodes)] for at in range(len(nodes))]


def all_listen(nodes: list[str], item: SaleItem, users: list[User]) -> None:
    """Let every shopper open his sale's stream at his node, and go again."""

    def listen(node: str, mine: list[User]) -> None:
        for user in mine:
            stream = Stream(node, f"/gate/sales/{item.sale_id}/events", bearer(a_pass(item, user)))
            assert stream.status == 200
            stream.close()

    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(listen, nodes, shares(nodes, users)))


def all_press(nodes: list[str], item: SaleItem, users: list[User]) -> Counter[str]:
    """Let every shopper attempt once at his node, on one connection a node; count the answers by status."""
    path = f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt"

    def ask_all(node: str, mine: list[User]) -> Counter[str]:
        line, kinds = HTTPConnection(server(node), timeout=10), Counter[str]()
        for user in mine:
            line.request("POST", path, headers=bearer(a_pass(item, user)))
            response = line.getresponse()
            response.read()
            kinds[str(response.status)] += 1
        line.close()
        return kinds

    with ThreadPoolExecutor(len(nodes)) as pool:
        return sum(pool.map(ask_all, nodes, shares(nodes, users)), Counter())


def test_twenty_sales_leave_nothing_over_and_the_gate_hears_a_fraction(
    nodes: tuple[str, list[str]], make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    gate, edges = nodes
    crowd, opens_at = shoppers(CROWD), timezone.now() + timedelta(seconds=30)
    items = [make_sale(quantity=UNITS, opens_at=opens_at) for _ in range(SALES)]
    with beating():
        for item in items:
            all_listen(edges, item, crowd)
        eventually(lambda: all(number_waiting(item) == CROWD for item in items))
        eventually(lambda: all(known_chance(item) < 1 for item in items))
        time.sleep(max(0, (opens_at - timezone.now()).total_seconds()) + 0.3)
        before = attempts_seen(gate)
        for item in items:
            answers = all_press(edges, item, crowd)
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
        all_listen(edges, item, crowd)
        eventually(lambda: known_chance(item) < 1)
        time.sleep(max(0, (opens_at - timezone.now()).total_seconds()) + 0.3)
        chance = known_chance(item)
        unlucky = max(crowd, key=lambda user: lot(item, user.pk))
        lucky = min(crowd, key=lambda user: lot(item, user.pk))
        assert lot(item, lucky.pk) < chance < lot(item, unlucky.pk)
        before = attempts_seen(gate)
        for edge in (*edges, *edges):
            assert ask(edge, "POST", path, bearer(a_pass(item, unlucky)))[0] == 409
        assert attempts_seen(gate) == before
        assert ask(edges[1], "POST", path, bearer(a_pass(item, lucky)))[0] == 201


def test_a_node_that_cannot_reach_the_centre_forwards_everybody(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    crowd = shoppers(40)
    item = make_sale(quantity=40)
    with running_gate() as gate, running_live() as live:
        roles = {"gate": gate, "web": "http://127.0.0.1:9", "EDGE_LIVE": server(live)}
        with running_edge(**roles, EDGE_SHEDDING="1", EDGE_NAME="alone") as alone:
            all_listen([alone], item, crowd)
            time.sleep(1.5)  # it has tried to report
            assert all_press([alone], item, crowd) == {"201": 40}


def test_only_passes_that_were_verified_make_a_crowd(
    nodes: tuple[str, list[str]], make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    _, (edge, *_) = nodes
    item, (ann, bob) = make_sale(opens_at=timezone.now() + timedelta(minutes=5)), shoppers(2)
    page, events = item.sale.get_absolute_url(), f"/gate/sales/{item.sale_id}/events"
    ask(edge, "GET", f"/gate/sales/{item.sale_id}")
    for number in range(900_000, 900_005):
        invented = f"p.0123ab.{item.sale_id}.{number}.9999999999.{'0' * 48}"
        assert ask(edge, "GET", events, bearer(invented))[0] == 403
        assert ask(edge, "GET", page, {"Cookie": f"entered-{item.sale_id}={invented}"})[0] == 200
    session = logged_in(ann).cookies["sessionid"].value
    shown = {"Cookie": f"sessionid={session}; entered-{item.sale_id}={a_pass(item, ann)}"}
    status, headers, _ = ask(edge, "GET", page, shown)
    assert status == 200
    assert "x-entered" not in headers  # between web and edge only
    all_listen([edge], item, [bob])
    eventually(lambda: number_waiting(item) == 2)
    time.sleep(1.2)  # another report
    assert number_waiting(item) == 2
