"""Shedding by lot as the tests look at it: the centre's beat, what it knows, and whose lot is which."""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import connection
from django_redis import get_redis_connection

from flashsale import shedding
from flashsale.models import SaleItem
from flashsale.tests.edges import KEY

NAMES = ("one", "two", "three")


def number_waiting(item: SaleItem) -> int:
    """How many shoppers the centre knows to wait."""
    rows = get_redis_connection("default").hgetall(f"edge:{item.sale_id}:reports")
    return sum(int(text.split()[0]) for text in rows.values())


def known_chance(item: SaleItem) -> float:
    """The chance that the centre tells; 1 while it does not tell all nodes."""
    rows = get_redis_connection("default").hgetall(f"edge:{item.sale_id}:chances")
    return min(map(float, rows.values())) if len(rows) == len(NAMES) else 1.0


def lot(item: SaleItem, user: int) -> float:
    """A shopper's lot as the nodes draw it."""
    digest = hmac.digest(KEY.encode(), f"lot.{item.sale_id}.{user}".encode(), "sha1")
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
