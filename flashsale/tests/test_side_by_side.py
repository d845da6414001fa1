"""Several gates and several workers share nothing but the stores."""

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django_redis import get_redis_connection

from flashsale import crowd, draining, stock, stream
from flashsale.models import Reservation
from flashsale.tests.conftest import MakeSale, is_clean
from flashsale.tests.gates import running_gate
from shop.orders.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_gates_sell_exactly_the_units_of_one_sale(make_sale: MakeSale) -> None:
    item = make_sale(quantity=50, standby_size=10)
    users = crowd.make_shoppers(400)
    passes = dict(zip(users, crowd.issue_passes(item.sale, users), strict=True))
    path = f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt"

    async def storm_both(*gates: str) -> list[crowd.Outcome]:
        storms = (
            crowd.storm(gate=gate, path=path, passes=passes, tries=1, seconds=0.5, tell=lambda _: None)
            for gate in gates
        )
        return [outcome for storm in await asyncio.gather(*storms) for outcome in storm]

    with running_gate() as one, running_gate() as two:
        outcomes = asyncio.run(storm_both(one, two))
    told = {(outcome.user, outcome.last, outcome.answers[0][1].get("reservation")) for outcome in outcomes}
    assert len(told) == 400, "both gates told each shopper the same"
    assert Counter(last for _, last, _ in told) == Counter(reserved=50, standby=10, sold_out=340)


def test_workers_that_drain_side_by_side_record_everything_once(
    make_sale: MakeSale, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale(quantity=300)
    users = crowd.make_shoppers(300)
    monkeypatch.setattr("django.conf.settings.ORDER_BATCH_SIZE", 50)
    monkeypatch.setattr(draining, "CLAIM_EVERY", 60.0)
    for user in range(0, 300, 100):
        attempt_ids(item.sale_id, item.pk, users[user : user + 100])

    with ThreadPoolExecutor(2) as workers:
        counts = [worker.result() for worker in [workers.submit(drain_and_hang_up) for _ in range(2)]]
    assert sum(counts) == 300
    assert min(counts) > 0, "both took part"
    assert Order.objects.count() == Reservation.objects.values("user").distinct().count() == 300
    assert stream.backlog(item.sale_id).pending == 0
    assert is_clean(item)


def drain_and_hang_up() -> int:
    try:
        return draining.drain(seconds=3.0)
    finally:
        connection.close()


def attempt_ids(sale: int, item: int, users: list[int]) -> None:
    answers = stock.run(stock.attempt(sale, [(item, user) for user in users], per_minute=100)).answers
    assert {answer.outcome for answer in answers} == {"reserved"}


def test_with_all_places_taken_a_third_worker_goes_home(make_sale: MakeSale) -> None:
    make_sale()
    with ThreadPoolExecutor(2) as workers:
        busy = [workers.submit(drain_and_hang_up) for _ in range(2)]
        while stream_slots() < 2:
            time.sleep(0.01)
        assert draining.drain(seconds=60.0) == 0
        assert [worker.result() for worker in busy] == [0, 0]


def test_whoever_lost_its_place_with_the_store_frees_nobody_elses(make_sale: MakeSale) -> None:
    make_sale()
    client = get_redis_connection("sale")
    with ThreadPoolExecutor(1) as workers:
        earlier = workers.submit(drain_and_hang_up)
        while not stream_slots():
            time.sleep(0.01)
        client.flushdb()
        client.set("fs:drain:0", "another worker's")
        assert earlier.result() == 0
    assert client.get("fs:drain:0") == b"another worker's"


def stream_slots() -> int:
    return len(get_redis_connection("sale").keys("fs:drain:*"))
