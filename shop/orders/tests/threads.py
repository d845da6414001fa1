"""Other shoppers at the same moment: each in a thread with a database connection of its own."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def in_thread(act: Callable[[], T]) -> T:
    """Do `act` in another thread and return what it returns, or raise what it raises."""
    return at_once([act])[0]


def at_once(acts: Sequence[Callable[[], T]]) -> list[T]:
    """Start all of `acts` together and return what each returns; raises what the first raises."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], T]) -> T:
        try:
            barrier.wait(timeout=10)
            return act()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result(timeout=30) for future in [pool.submit(run, act) for act in acts]]
