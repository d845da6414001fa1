"""When a ticket is served: the schedule of a sale's queue (see `docs/queue.md`). Times in ms since 1970."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

KEPT = 16


class Segment(NamedTuple):
    """From `start` on `base` tickets are served and `rate` more a second; None: no limit, 0: paused."""

    start: int
    base: int
    rate: int | None


class Ticket(NamedTuple):
    """A shopper's place: `number` 0 where lots are not drawn yet, `turn_at` 0 where it is unknown."""

    number: int
    turn_at: int


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of a sale at one look: its schedule, how many tickets there are, and its settings."""

    schedule: Sequence[Segment]
    tickets: int
    rate: int | None
    limit: int | None
    tie_band: int
    lots_at_open: bool
    key: str

    def served(self, at: int) -> int:
        """Return the highest number served at an instant; never more than there are tickets."""
        return min(self.tickets, served(self.schedule, at))

    def turn_at(self, number: int) -> int:
        """Return when a ticket is, or was, served; 0 where a pause hides it."""
        return turn_at(self.schedule, number)


UNLIMITED = 2**52


def served(schedule: Sequence[Segment], at: int) -> int:
    """Return the highest number served at an instant: 0 before the first segment."""
    for start, base, rate in reversed(schedule):
        if at >= start:
            return UNLIMITED if rate is None else base + (at - start) * rate // 1000
    return 0


def turn_at(schedule: Sequence[Segment], number: int) -> int:
    """Return the instant from which a number is served; 0 where that is unknown."""
    for segment, following in zip(schedule, [*schedule[1:], None], strict=True):
        turn = _turn_within(segment, number)
        if turn and (following is None or turn < following.start):
            return turn
    return 0


def _turn_within(segment: Segment, number: int) -> int:
    if segment.rate is None or number <= segment.base:
        return segment.start
    return segment.start - (segment.base - number) * 1000 // segment.rate if segment.rate else 0


def fingerprint(key: str) -> str:
    """Return what is told of the key of the lots before the sale has ended: its SHA-256."""
    return hashlib.sha256(key.encode()).hexdigest()


def lot(key: str, user: int) -> int:
    """Return a shopper's lot, from 0 to 2^32 - 1; the lowest of a band comes first."""
    digest = hashlib.sha1(f"{key}:{user}".encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16)
