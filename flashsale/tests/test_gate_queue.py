"""The queue as a page meets it: a real gate, real HTTP, the real store."""

import hashlib
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.utils import timezone

from flashsale import scheduling
from flashsale.models import SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt
from flashsale.tests.gates import a_pass, ask, attempt_at, bearer, running_gate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def gate() -> Iterator[str]:
    with running_gate() as address:
        yield address


def document(gate: str, item: SaleItem) -> dict[str, object]:
    status, headers, body = ask(gate, "GET", f"/gate/sales/{item.sale_id}")
    assert (status, headers["cache-control"]) == (200, "public, max-age=1, stale-while-revalidate=1")
    found: dict[str, object] = json.loads(body)
    return found


def test_a_turn_within_a_second_is_waited_for_in_the_request(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(quantity=9, rate=2), shoppers(1)
    attempt(item, *shoppers(2))
    started = time.monotonic()
    status, told, _ = attempt_at(gate, item, bearer(a_pass(item, ann)))
    assert (status, told["outcome"]) == (201, "reserved")
    assert 0.4 < time.monotonic() - started < 2


def test_a_later_turn_is_told_at_once(gate: str, make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(quantity=9, rate=1), shoppers(1)
    attempt(item, *shoppers(5))
    status, told, headers = attempt_at(gate, item, bearer(a_pass(item, ann)))
    assert (status, told["outcome"], told["number"], told["ahead"]) == (202, "queued", 6, 4)
    assert 4000 < told["turn_at"] - told["now"] <= 5000
    assert headers["retry-after"] == "5"


def test_held_attempts_are_served_in_the_order_of_their_tickets(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=99, rate=20), shoppers(20)
    attempt(item, *shoppers(20))
    attempt(item, *crowd)
    headers = [bearer(a_pass(item, user)) for user in crowd]
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda one: attempt_at(gate, item, one), reversed(headers)))
    assert {status for status, _, _ in told} == {201}
    rids = [int(one["reservation"].split("-")[2]) for _, one, _ in reversed(told)]
    assert rids == sorted(rids)


def test_a_full_line_says_when_to_come_again(gate: str, make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(quantity=9, rate=1, queue_limit=1), shoppers(1)
    attempt(item, *shoppers(2))
    status, told, headers = attempt_at(gate, item, bearer(a_pass(item, ann)))
    assert (status, told["outcome"]) == (503, "full")
    assert 20 <= int(headers["retry-after"]) <= 40


def test_the_status_document_lets_everybody_compute_his_turn(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item = make_sale(quantity=9, rate=1)
    told = attempt(item, *shoppers(4))
    queue = document(gate, item)["queue"]
    assert isinstance(queue, dict)
    assert (queue["tickets"], queue["limit"]) == (4, None)
    start, base, rate = queue["schedule"][-1]
    assert start + (4 - base) * 1000 // rate == told[3].at


def test_a_new_rate_is_in_the_document_at_once(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item = make_sale(quantity=9, rate=1)
    attempt(item, *shoppers(4))
    document(gate, item)
    scheduling.set_rate(sale_id=item.sale_id, rate=50)
    time.sleep(0.1)
    queue = document(gate, item)["queue"]
    assert isinstance(queue, dict)
    assert queue["schedule"][-1][2] == 50


def test_whoever_lines_up_for_the_draw_reaches_the_store(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item = make_sale(rate=1, shuffle_at_open=True, opens_at=timezone.now() + timedelta(minutes=1))
    document(gate, item)  # the gate remembers the sale, and would refuse from memory where there are no lots
    (ann,) = shoppers(1)
    status, told, _ = attempt_at(gate, item, bearer(a_pass(item, ann)))
    assert (status, told["outcome"], told["number"]) == (202, "queued", 0)


def test_the_key_of_the_lots_is_told_when_the_sale_is_over_and_its_hash_before(
    gate: str, make_sale: MakeSale
) -> None:
    item = make_sale(rate=1, tie_band=100)
    before = document(gate, item)["queue"]
    assert isinstance(before, dict)
    assert before["key"] is None
    assert before["key_sha256"] == hashlib.sha256(item.sale.line_key.encode()).hexdigest()
    scheduling.close_now(sale_id=item.sale_id)
    time.sleep(0.2)
    after = document(gate, item)["queue"]
    assert isinstance(after, dict)
    assert after["key"] == item.sale.line_key
