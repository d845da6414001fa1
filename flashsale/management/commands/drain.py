"""`manage.py drain`: keeps the order path going by itself, whatever becomes of Celery and its broker."""

import logging
import signal
import time
from threading import Event
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from redis.exceptions import RedisError

from flashsale import draining, tasks

logger = logging.getLogger(__name__)
ROUND = 1.0
CHORES = (
    (tasks.expire_reservations, 1.0),
    (tasks.warm_sales, 5.0),
    (tasks.close_sales, 5.0),
    (tasks.reconcile_sales, 10.0),
)
"""What a sale needs beside its orders, and how often (s); beat may start the same at the same time."""


class Command(BaseCommand):
    """Records reservations, ends them in time and promotes, until SIGTERM. Start it once or many times."""

    help = "Record reservations and keep their deadlines until stopped; it needs no Celery and no broker."

    def add_arguments(self, parser: CommandParser) -> None:
        """How long."""
        parser.add_argument("--seconds", type=float, help="end after so many seconds; never without it")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Go round until asked to stop; a store that is away is waited for."""
        stop, due = Event(), dict.fromkeys(range(len(CHORES)), 0.0)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        until = time.monotonic() + options["seconds"] if options["seconds"] else float("inf")
        while not stop.is_set() and time.monotonic() < until:
            started = time.monotonic()
            close_old_connections()
            try:
                _go_round(due, started)
            except (RedisError, DatabaseError, InterfaceError) as error:
                logger.warning("A store is away, nothing is lost: %s", error)
                connection.close()
            # Where the slots are taken by others, or there is no sale, a round has nothing to wait for.
            stop.wait(max(0.0, started + ROUND / 2 - time.monotonic()))


def _go_round(due: dict[int, float], now: float) -> None:
    for number, (chore, every) in enumerate(CHORES):
        if now >= due[number]:
            due[number] = now + every
            chore()
    draining.drain(seconds=ROUND)
