"""How long the last minute's requests took: counted by each process, told to all, added up for people."""

import math
import time
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate
from threading import Lock

from shop import processes

ROLE = "web"
BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""Seconds: a request is counted at the first bound that it kept, or behind the last."""
SLOTS = 12


class Minute:
    """Counts of requests by bound, in slots of five seconds: Prometheus' histogram would never forget."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._slots: dict[int, list[int]] = {}

    def add(self, seconds: float, *, now: float) -> bool:
        """Count a request at `now` of the monotonic clock (s); True for the first one of a slot."""
        slot = int(now // processes.EVERY)
        with self._lock:
            is_first = slot not in self._slots
            if is_first:
                self._slots = {at: kept for at, kept in self._slots.items() if at >= slot - SLOTS}
                self._slots[slot] = [0] * (len(BOUNDS) + 1)
            self._slots[slot][bisect_left(BOUNDS, seconds)] += 1
        return is_first

    def counts(self) -> list[int]:
        """Return how many requests of the minute there were for each bound, and behind the last."""
        with self._lock:
            return _sum(self._slots.values())


_minute = Minute()


def note(seconds: float) -> None:
    """Count a request of this process. One in five seconds tells the others, and waits for the cache."""
    if _minute.add(seconds, now=time.monotonic()):
        processes.tell(ROLE, _minute.counts())


def told() -> tuple[list[int], int] | None:
    """Return the counts of all web processes and how many these are. Without the cache: None."""
    found = processes.told(ROLE)
    if found is None:
        return None
    # During a rollout a process of another version may count at other bounds.
    ours = [counts for counts in found if len(counts) == len(BOUNDS) + 1]
    return _sum(ours), len(ours)


def quantile(share: float, counts: Sequence[int]) -> float:
    """Return the time (s) that this share of the requests kept, evenly between two bounds as Prometheus does.

    `math.inf` where it is behind the last bound. Raises ValueError where there was no request.
    """
    rank = share * sum(counts)
    if not rank:
        raise ValueError("there was no request")
    at = next(index for index, until in enumerate(accumulate(counts)) if until >= rank)
    if at == len(BOUNDS):
        return math.inf
    low, before = (BOUNDS[at - 1] if at else 0.0), sum(counts[:at])
    return low + (BOUNDS[at] - low) * (rank - before) / counts[at]


def _sum(rows: Iterable[Sequence[int]]) -> list[int]:
    return [sum(column) for column in zip(*rows, strict=True)]
