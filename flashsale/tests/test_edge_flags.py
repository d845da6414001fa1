"""What the edge answers by itself: the end of a sale by the shared flag, and the page of a full gate."""

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from flashsale import reservations, scheduling
from flashsale.models import Reservation, SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, let_the_deadline_pass, win
from flashsale.tests.edges import attempts_seen, eventually, needs_nginx, running_edge
from flashsale.tests.gates import Told, a_pass, ask, attempt_at, bearer, running_gate

pytestmark = [needs_nginx, pytest.mark.django_db(transaction=True)]


@pytest.fixture(scope="module")
def gate() -> Iterator[str]:
    with running_gate() as address:
        yield address


@pytest.fixture(scope="module")
def edge(gate: str) -> Iterator[str]:
    with running_edge(gate=gate) as address:
        yield address


def is_refused_at_the_edge(gate: str, edge: str, item: SaleItem, token: str, outcome: str) -> bool:
    """Whether an attempt is answered with this outcome and the gate does not hear of it."""
    before = attempts_seen(gate)
    _, told, _ = attempt_at(edge, item, bearer(token))
    return bool(told["outcome"] == outcome and attempts_seen(gate) == before)


def holder(token: str, answer: Told) -> dict[str, str]:
    """The headers of a browser that was told something: its pass, and the mark that the edge wrote."""
    mark = answer[2]["set-cookie"].partition(";")[0]
    return {"Cookie": f"pass={token}; {mark}", "Sec-Fetch-Site": "same-origin"}


def test_sold_out_is_told_at_the_edge_within_a_second_and_holders_still_reach_the_gate(
    gate: str, edge: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben, cem) = make_sale(quantity=1), shoppers(3)
    token = a_pass(item, ann)
    won = attempt_at(edge, item, {"Cookie": f"pass={token}", "Sec-Fetch-Site": "same-origin"})
    assert won[0] == 201
    late = a_pass(item, ben)
    eventually(lambda: is_refused_at_the_edge(gate, edge, item, late, "sold_out"))
    before = attempts_seen(gate)
    status, told, headers = attempt_at(edge, item, bearer(a_pass(item, cem)))
    assert (status, set(told), headers["cache-control"]) == (409, {"outcome", "now"}, "no-store")
    assert abs(told["now"] - time.time() * 1000) < 5000
    assert attempts_seen(gate) == before
    status, told, _ = attempt_at(edge, item, holder(token, won))
    assert (status, told["reservation"]) == (200, won[1]["reservation"])
    assert attempts_seen(gate) == before + 1


def test_a_mark_of_another_shopper_or_an_invented_one_opens_nothing(
    gate: str, edge: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1), shoppers(2)
    won = attempt_at(edge, item, bearer(a_pass(item, ann)))
    late = a_pass(item, ben)
    eventually(lambda: is_refused_at_the_edge(gate, edge, item, late, "sold_out"))
    before = attempts_seen(gate)
    for cookies in (holder(late, won), {"Cookie": f"pass={late}; held={'0' * 40}"}):
        assert attempt_at(edge, item, cookies)[1]["outcome"] == "sold_out"
    assert attempts_seen(gate) == before


def test_the_flag_is_lifted_when_a_unit_comes_back(
    gate: str, edge: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, pay_within=60), shoppers(2)
    (rid,) = win(item, ann)
    late = a_pass(item, ben)
    attempt_at(edge, item, bearer(late))
    eventually(lambda: is_refused_at_the_edge(gate, edge, item, late, "sold_out"))
    let_the_deadline_pass(rid)
    reservations.expire_due()
    reservations.tell_store()
    eventually(lambda: attempt_at(edge, item, bearer(late))[1]["outcome"] == "reserved")
    assert Reservation.objects.get(rid=rid).status == Reservation.Status.EXPIRED


def test_an_ended_sale_is_told_at_the_edge(
    gate: str, edge: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(quantity=5), shoppers(1)
    token = a_pass(item, ann)
    ask(edge, "GET", f"/gate/sales/{item.sale_id}")
    scheduling.close_now(sale_id=item.sale_id)
    eventually(lambda: is_refused_at_the_edge(gate, edge, item, token, "ended"))


def test_without_the_gates_word_the_flag_is_forgotten_and_attempts_are_forwarded(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1), shoppers(2)
    attempt(item, ann)
    token = a_pass(item, ben)
    with ExitStack() as edges:
        with running_gate() as gate:
            edge = edges.enter_context(running_edge(gate=gate))
            attempt_at(edge, item, bearer(token))
            eventually(lambda: is_refused_at_the_edge(gate, edge, item, token, "sold_out"))
        # The gate has gone. Its last word counts for two seconds; then nobody answers.
        eventually(lambda: attempt_at(edge, item, bearer(token))[1]["outcome"] == "paused")


def test_newcomers_wait_at_the_edge_while_the_gate_is_full_and_whoever_was_let_in_goes_on(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(quantity=5), shoppers(1)
    page = item.sale.get_absolute_url()
    # A gate that holds nothing is full at once. Behind the pages stands a gate too, which answers 404.
    with running_gate(GATE_MAX_IN_FLIGHT="0") as gate, running_edge(gate=gate) as edge:
        assert ask(edge, "GET", page)[0] == 404
        status, told, headers = attempt_at(edge, item, bearer(a_pass(item, ann)))
        assert (status, told["outcome"]) == (503, "full")
        assert int(headers["retry-after"]) >= 1
        status, headers, body = ask(edge, "GET", page)
        assert (status, headers["retry-after"]) == (503, "15")
        assert b"Many people are coming in" in body
        assert b"/edge/busy.js" in body
        assert ask(edge, "GET", "/edge/room")[0] == 503
        entered = {"Cookie": f"entered-{item.sale_id}={a_pass(item, ann)}"}
        assert ask(edge, "GET", page, entered)[0] == 404
        eventually(lambda: ask(edge, "GET", "/edge/room")[0] == 204)
        assert ask(edge, "GET", page)[0] == 404


def test_no_more_than_so_many_waiting_pages_a_second_go_on(gate: str) -> None:
    with running_edge(gate=gate, EDGE_ROOM_RATE="3") as edge:
        started = time.time()
        statuses = [ask(edge, "GET", "/edge/room")[0] for _ in range(40)]
        seconds = int(time.time()) - int(started) + 1
    assert 1 <= statuses.count(204) <= 3 * seconds
    assert statuses.count(204) + statuses.count(503) == 40
