"""Faults 3, 5 and 7 of well-known recipes: what a death in the middle takes along. Put to both."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from django.utils import timezone
from redis import Redis

from accounts.models import User
from flashsale import draining, recording, reservations, stream, tasks
from flashsale.models import SaleItem
from flashsale.tests.conftest import attempt, let_the_deadline_pass, units, win
from flashsale.tests.deaths import die, dies, do_and_die
from flashsale.tests.recipes import Consumer, DelayQueue, OneTimeToken
from shop.celery import app
from shop.orders import idempotency
from shop.orders.idempotency import Answer, Key
from shop.orders.models import Order
from shop.up import valkey
from shop.up.processes import Process

pytestmark = pytest.mark.django_db(transaction=True)
MakeSale = Callable[..., SaleItem]
Shoppers = Callable[[int], list[User]]


class Broker:
    """A message broker that keeps its messages in memory only."""

    def __init__(self, process: Process, url: str) -> None:
        self._process, self.url = process, url
        self.client: Redis = Redis.from_url(url)

    def restart(self) -> None:
        """Stop and start it, as an update or a crash does."""
        self._process.stop(2.0)
        self._process.start()
        valkey.wait_until_ready(self._process, self.url)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    process, url = valkey.start_cache(tmp_path, tmp_path)
    broker = Broker(process, url)
    yield broker
    broker.client.close()
    process.stop(2.0)


def freed_by_a_delay_queue(broker: Broker, _item: SaleItem, ann: User, *, disturb: bool) -> int:
    queue, now = DelayQueue(broker.client), int(time.time() * 1000)
    queue.put(ann.pk, due_ms=now + 600_000)
    if disturb:
        broker.restart()
    return len(queue.due(now_ms=now + 601_000))


def freed_by_us(broker: Broker, item: SaleItem, ann: User, *, disturb: bool) -> int:
    (rid,) = win(item, ann)
    with app.connection_for_write(broker.url) as connection:
        app.send_task("flashsale.tasks.expire_reservations", connection=connection)
    assert broker.client.llen("deadlines") == 1
    if disturb:
        broker.restart()
        assert broker.client.dbsize() == 0
    let_the_deadline_pass(rid)
    # The message was only a nudge: beat sends another every second, and the table knows what is due.
    return tasks.expire_reservations()


@pytest.mark.parametrize(
    ("wait", "disturb", "freed"),
    [
        pytest.param(freed_by_a_delay_queue, False, 1, id="recipe undisturbed"),
        pytest.param(freed_by_a_delay_queue, True, 0, id="recipe"),
        pytest.param(freed_by_us, True, 1, id="ours"),
    ],
)
def test_fault_3_a_restarted_broker_forgets_no_deadline(
    broker: Broker,
    make_sale: MakeSale,
    shoppers: Shoppers,
    wait: Callable[..., int],
    disturb: bool,
    freed: int,
) -> None:
    assert wait(broker, make_sale(), *shoppers(1), disturb=disturb) == freed


def back_by_a_consumer(_item: SaleItem, ann: User) -> int:
    consumer, now = Consumer(quantity=1), int(time.time() * 1000)
    dies(lambda: consumer.consume(ann.pk, due_ms=now, before_deadline=die))
    consumer.consume(ann.pk, due_ms=now)  # the queue delivers the message again
    consumer.release_due(now_ms=now + 1)
    return consumer.free()


def back_by_us(item: SaleItem, ann: User, *, dies_in: tuple[object, str]) -> int:
    rid = attempt(item, ann)[0].rid

    def work_and_die() -> None:
        setattr(*dies_in, lambda *_: die())  # in the child only
        draining.drain_once(sale_id=item.sale_id, consumer="dead")

    dies(work_and_die)
    draining.drain_once(sale_id=item.sale_id, consumer="alive")
    let_the_deadline_pass(rid)
    reservations.expire_due()
    return units(item)[0]


IN_THE_TRANSACTION = partial(back_by_us, dies_in=(recording, "_insert"))
AFTER_THE_COMMIT = partial(back_by_us, dies_in=(stream, "acknowledge"))


@pytest.mark.parametrize(
    ("way", "back"),
    [
        pytest.param(back_by_a_consumer, 0, id="recipe"),
        pytest.param(IN_THE_TRANSACTION, 1, id="ours in the transaction"),
        pytest.param(AFTER_THE_COMMIT, 1, id="ours after the commit"),
    ],
)
def test_fault_5_a_worker_that_dies_before_the_deadline_is_written_locks_no_unit(
    make_sale: MakeSale, shoppers: Shoppers, way: Callable[[SaleItem, User], int], back: int
) -> None:
    assert way(make_sale(quantity=1), *shoppers(1)) == back


def place_an_order() -> Answer:
    order = Order.objects.create(email="ann@example.com", total=4900, pay_by=timezone.now())
    return Answer(status=201, body={"order": order.pk})


def place_an_order_and_die() -> Answer:
    place_an_order()
    die()


def told_by_a_one_time_token(dies_early: bool) -> object | None:
    tokens = OneTimeToken()
    tokens.issue("once")
    submit = partial(tokens.submit, "once", place_an_order)
    dies(partial(submit, between=die) if dies_early else partial(do_and_die, submit))
    return submit()


def told_by_us(dies_early: bool) -> object | None:
    submit = partial(idempotency.once, key=Key(source="ann", sequence="once"), wait=True)
    if dies_early:
        dies(lambda: submit(act=place_an_order_and_die))
    else:
        dies(partial(do_and_die, partial(submit, act=place_an_order)))
    return submit(act=place_an_order)


@pytest.mark.parametrize(
    ("submit_again", "dies_early", "orders", "has_answer"),
    [
        pytest.param(told_by_a_one_time_token, True, 0, False, id="recipe: the order is lost"),
        pytest.param(told_by_a_one_time_token, False, 1, False, id="recipe: the answer is lost"),
        pytest.param(told_by_us, True, 1, True, id="ours before the commit"),
        pytest.param(told_by_us, False, 1, True, id="ours before the answer"),
    ],
)
def test_fault_7_a_request_whose_process_died_is_done_once_and_answered(
    submit_again: Callable[[bool], object | None], dies_early: bool, orders: int, has_answer: bool
) -> None:
    assert (submit_again(dies_early) is not None) is has_answer
    assert Order.objects.count() == orders
