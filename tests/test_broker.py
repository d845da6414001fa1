"""RabbitMQ as Celery's broker, and orders that do not need any broker."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
import pytest

from shop.broker import NAMES
from shop.up import state
from shop.up.state import ROOT
from tests.rabbit import Rabbit, running_rabbit
from tests.running import Shop, running_shop

PATIENCE, AWAY = 40.0, 60.0
DRAINS_END = 12.0
"""Seconds: a worker that was told to drain goes on for ten of them, whatever becomes of the broker."""
pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def rabbit() -> Iterator[Rabbit]:
    """A broker for the tests of this file."""
    with running_rabbit() as rabbit:
        yield rabbit


@pytest.fixture(scope="module")
def shop(rabbit: Rabbit) -> Iterator[Shop]:
    """A shop whose worker and beat speak to that broker."""
    with running_shop(CELERY_BROKER_URL=rabbit.url) as shop:
        yield shop


@contextmanager
def draining(shop: Shop) -> Iterator[None]:
    """Run the role that needs no broker."""
    command = [sys.executable, "manage.py", "drain"]
    process = subprocess.Popen(command, cwd=ROOT, env=shop.env)
    try:
        yield
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"Not within {seconds:.0f} s: {what}"
        time.sleep(0.5)


def sell_out(shop: Shop, *, quantity: int, pay_within: int = 600) -> int:
    """Let shoppers take all of a new sale; return its number."""
    sale = int(shop.demo_sale(quantity=quantity, standby=0, pay_within=pay_within).removeprefix("demo-"))
    act = (
        "from flashsale import crowd, stock; from flashsale.models import SaleItem;"
        f"item = SaleItem.objects.get(sale={sale});"
        f"pairs = [(item.pk, user) for user in crowd.make_shoppers({quantity})];"
        f"stock.run(stock.attempt({sale}, pairs, per_minute=100))"
    )
    shop.manage("shell", "--no-imports", "-v", "0", "-c", act)
    return sale


def count(shop: Shop, question: str, *values: object) -> int:
    """Ask the shop's database."""
    url = state.read_state(shop.folder)["environment"]["DATABASE_URL"]
    with psycopg2.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute(question, values)
        (found,) = cursor.fetchone() or (0,)
    connection.close()
    return int(found)


def orders(shop: Shop, sale: int, *statuses: str) -> int:
    question = """SELECT count(order_id) FROM flashsale_reservation AS r JOIN flashsale_saleitem AS i
        ON i.id = r.item_id WHERE i.sale_id = %s AND r.status = ANY(%s)"""
    return count(shop, question, sale, list(statuses))


def unsent(shop: Shop) -> int:
    return count(shop, "SELECT count(*) FROM orders_outboxmail WHERE sent_at IS NULL")


def test_orders_and_mails_go_through_quorum_queues(shop: Shop, rabbit: Rabbit) -> None:
    sale = sell_out(shop, quantity=20)
    until(lambda: orders(shop, sale, "held") == 20, "orders are recorded")
    until(lambda: unsent(shop) == 0, "mails are sent")
    kinds = dict(line.split()[:2] for line in rabbit.ctl("list_queues", "name", "type").splitlines())
    assert {kinds[name] for name in NAMES} == {"quorum"}


def test_queues_that_the_broker_has_lost_are_declared_again(shop: Shop, rabbit: Rabbit) -> None:
    for name in NAMES:
        rabbit.ctl("delete_queue", name)
    sale = sell_out(shop, quantity=10, pay_within=10)
    until(lambda: orders(shop, sale, "expired") == 10, "orders are recorded and end")
    until(lambda: unsent(shop) == 0, "mails are sent")


def test_orders_are_recorded_and_end_in_time_while_the_broker_is_away(shop: Shop, rabbit: Rabbit) -> None:
    until(lambda: all(queue in rabbit.ctl("list_queues", "name") for queue in NAMES), "queues are declared")
    rabbit.settle()
    rabbit.stop()
    stopped = time.monotonic()
    time.sleep(DRAINS_END)
    sale = sell_out(shop, quantity=15, pay_within=20)
    time.sleep(5)
    assert orders(shop, sale, "held", "expired") == 0  # the control: nobody has told the worker
    with draining(shop):
        until(lambda: orders(shop, sale, "held", "expired") == 15, "orders are recorded")
        until(lambda: orders(shop, sale, "expired") == 15, "orders end at their deadline")
        assert unsent(shop) >= 15
        time.sleep(max(0, AWAY - (time.monotonic() - stopped)))
    rabbit.start()
    until(lambda: unsent(shop) == 0, "mails are sent once the broker is back", 90)
    assert "adds up in both stores" in shop.manage("reconcile", str(sale))
