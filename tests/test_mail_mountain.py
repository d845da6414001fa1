"""A mountain of mail before a server that hangs: orders and deadlines go on, on Redis and on RabbitMQ."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import pytest

from shop.orders import outbox
from shop.up.ports import LOOPBACK
from tests.rabbit import running_rabbit
from tests.running import Shop, running_shop
from tests.test_broker import count, orders, sell_out, unsent, until

pytestmark = pytest.mark.cluster
MAILS, TICKS = 1000, 300
PUT = f"""
from shop.orders.outbox import Letter, put_all
context = {{"title": "Lamp", "pay_by": "2099-01-01T00:00:00+00:00", "price": 4900, "path": "/"}}
put_all(Letter(ref=f"m-{{n}}", kind="expired", to="ann@example.com", context=context) for n in range({MAILS}))
from shop.orders.tasks import send_mail
for n in range({TICKS}): send_mail.delay()
"""


@contextmanager
def hanging() -> Iterator[str]:
    """A mail server that takes every connection and never says a word."""
    with socket.create_server((LOOPBACK, 0), backlog=1000) as server:
        yield f"smtp://{LOOPBACK}:{server.getsockname()[1]}"


@contextmanager
def shop_before_a_mountain(broker: str) -> Iterator[Shop]:
    """A shop of one worker, whose mail server hangs, whose outbox is full and whose mail queue is long."""
    with running_rabbit() if broker == "RabbitMQ" else nullcontext() as rabbit, hanging() as server:
        settings = {"CELERY_BROKER_URL": rabbit.url} if rabbit is not None else {}
        with running_shop(EMAIL_URL=server, **settings) as shop:
            shop.manage("shell", "--no-imports", "-v", "0", "-c", PUT)
            yield shop


def threads_that_send(shop: Shop) -> int:
    """How many batches of mail are held at the moment: for the length of a lease."""
    held = "SELECT count(*) FROM orders_outboxmail WHERE next_try_at > now() + interval '30 seconds'"
    return -(-count(shop, held) // outbox.BATCH)


@pytest.mark.parametrize("broker", ["Redis", "RabbitMQ"])
def test_orders_are_recorded_and_end_at_their_deadline_before_the_mail_has_left(broker: str) -> None:
    with shop_before_a_mountain(broker) as shop:
        sale = sell_out(shop, quantity=20, pay_within=8)
        until(lambda: orders(shop, sale, "held", "expired") == 20, "orders are recorded")
        until(lambda: orders(shop, sale, "expired") == 20, "orders end at their deadline")
        assert unsent(shop) >= MAILS
        assert threads_that_send(shop) == 1
