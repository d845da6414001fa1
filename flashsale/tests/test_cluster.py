"""The sale in a cluster of six: sales on different servers, a slot that moves, a primary that dies."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial

import pytest
from django.conf import settings
from django_redis import get_redis_connection
from pytest_django import Settings

from accounts.models import User
from flashsale import draining, reconcile, reservations, stock
from flashsale.models import SaleItem
from flashsale.tests.clusters import Cluster, Server, running_cluster, until
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, let_the_deadline_pass, pay
from flashsale.tests.gates import a_pass, attempt_at, bearer, running_gate

CROWD, UNITS = 120, 60
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.cluster]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster for the tests of this file."""
    with running_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _sale_in_cluster(cluster: Cluster, settings: Settings) -> None:
    settings.CACHES = settings.CACHES | {"sale": settings.CACHES["sale"] | {"LOCATION": [cluster.url]}}
    get_redis_connection("sale").flushdb()


@pytest.fixture
def spread(cluster: Cluster, make_sale: MakeSale) -> list[SaleItem]:
    """Sales of two units until each primary has at least one."""
    items: list[SaleItem] = []
    while len({home_of(cluster, item).port for item in items}) < 3:
        items.append(make_sale(quantity=2, standby_size=5))
    return items


def home_of(cluster: Cluster, item: SaleItem) -> Server:
    return cluster.primary_of(stock.sale_keys(item.sale_id)[0])


def test_function_is_loaded_where_it_is_missing() -> None:
    client = get_redis_connection("sale")
    client.function_flush()
    assert stock.run(stock.status(1, [])) is None
    client.function_flush()
    assert stock.run_all([stock.status(sale, []) for sale in range(1, 9)]) == [None] * 8


def test_sales_on_different_servers_go_the_whole_way(spread: list[SaleItem], shoppers: MakeShoppers) -> None:
    ann, ben, cid, dan = shoppers(4)
    rids = []
    for item in spread:
        answers = attempt(item, ann, ben, cid, dan)
        assert [one.outcome for one in answers] == ["reserved", "reserved", "standby", "standby"]
        rids.append((answers[0].rid, answers[1].rid))
    assert draining.drain(seconds=1.5) == 4 * len(spread)
    for paid, _late in rids:
        pay(paid)
    let_the_deadline_pass(*(late for _paid, late in rids))
    assert reservations.expire_due() == len(spread)
    reservations.tell_store()
    assert draining.drain(seconds=1.5) == len(spread)
    for item in spread:
        statuses = dict(item.reservations.values_list("user_id", "status"))
        assert statuses == {ann.pk: "paid", ben.pk: "expired", cid.pk: "held"}
        assert reconcile.repair(sale_id=item.sale_id).is_clean
    assert all(one is not None for one in stock.run_all([stock.status(item.sale_id, []) for item in spread]))


def gate_of(cluster: Cluster, replicas: int = 0) -> AbstractContextManager[str]:
    urls = {"REDIS_URL": cluster.url, "CELERY_BROKER_URL": settings.CELERY_BROKER_URL}
    return running_gate(**urls, STORE_REPLICAS=str(replicas))


def test_gate_hears_from_every_server_that_a_unit_came_free(
    cluster: Cluster, make_sale: MakeSale, spread: list[SaleItem], shoppers: MakeShoppers
) -> None:
    ann, ben, late = shoppers(3)
    with gate_of(cluster) as gate:
        for item in [make_sale(quantity=1) for _ in spread]:
            rid = attempt_at(gate, item, bearer(a_pass(item, ann)))[1]["reservation"]
            assert attempt_at(gate, item, bearer(a_pass(item, ben)))[1]["outcome"] == "sold_out"
            assert stock.run(stock.release(item.sale_id, item.pk, user=ann.pk, rid=rid)) == "free"
            until(partial(is_reserved, gate, item, late), "the unit is sold again")


def is_reserved(gate: str, item: SaleItem, user: User) -> bool:
    return bool(attempt_at(gate, item, bearer(a_pass(item, user)))[1]["outcome"] == "reserved")


def crowd_at(gate: str, item: SaleItem, users: list[User], between: Callable[[], None]) -> dict[int, str]:
    """Let a crowd press until each has an answer; `between` happens in the middle. Returns user -> rid."""

    def press(user: User) -> str:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            told = attempt_at(gate, item, bearer(a_pass(item, user)))[1]
            if told["outcome"] in ("reserved", "sold_out"):
                return str(told.get("reservation", ""))
            time.sleep(0.2)
        raise TimeoutError(f"No answer but {told}")

    with ThreadPoolExecutor(8) as threads:
        first = [threads.submit(press, user) for user in users[: UNITS // 2]]
        rest = [threads.submit(press, user) for user in users[UNITS // 2 :]]
        first[-1].result()
        between()
        rids = [one.result() for one in first + rest]
    return {user.pk: rid for user, rid in zip(users, rids, strict=True) if rid}


def is_conserved(item: SaleItem, told: dict[int, str]) -> bool:
    """Whether exactly those who were told have an order, none twice, and both stores add up."""
    draining.drain(seconds=1.5)
    draining.drain_once(sale_id=item.sale_id)
    held = dict(item.reservations.filter(status="held").values_list("user_id", "rid"))
    return held == told and len(told) == UNITS and reconcile.repair(sale_id=item.sale_id).is_clean


def test_slot_that_moves_in_mid_sale_loses_and_sells_twice_nothing(
    cluster: Cluster, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, users = make_sale(quantity=UNITS), shoppers(CROWD)
    source, key = home_of(cluster, item), stock.sale_keys(item.sale_id)[0]
    target = next(one for one in cluster.primaries() if one is not source)
    with gate_of(cluster) as gate:
        told = crowd_at(gate, item, users, partial(cluster.move, key, source, target))
    assert home_of(cluster, item) is target
    assert is_conserved(item, told)


def test_primary_killed_in_mid_sale_breaks_no_promise(
    cluster: Cluster, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, users = make_sale(quantity=UNITS), shoppers(CROWD)
    dead = home_of(cluster, item)

    def die_and_come_back() -> None:
        dead.kill()
        until(lambda: home_of(cluster, item) is not dead, "its replica has taken over")
        dead.process.start()  # until it follows the new primary nothing is promised: one copy is too few

    with gate_of(cluster, replicas=1) as gate:
        told = crowd_at(gate, item, users, die_and_come_back)
    assert home_of(cluster, item) is not dead
    assert is_conserved(item, told)
