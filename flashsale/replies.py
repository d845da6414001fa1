"""What the store's functions reply, read. Times are milliseconds since 1970 by the store's clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from redis.exceptions import ResponseError

from flashsale.queue import Queue, Segment, Ticket


class Answer(NamedTuple):
    """What one attempt was told.

    `outcome` is one of reserved, queued, standby, sold_out, not_open, ended, paused, slow_down, full,
    refused. `number` is that of the ticket or the standby place, `position` how many are ahead in line or
    the place on standby, `at` the turn (0: unknown), the opening, or how many ms to stay away.
    """

    outcome: str
    first: bool = False
    paid: bool = False
    rid: str = ""
    pay_by: int = 0
    number: int = 0
    position: int = 0
    at: int = 0


class Flow(NamedTuple):
    """What was counted of a sale, for the operators' figures only.

    `outcomes` are the attempts answered so far by outcome, by about so many `shoppers`; `tries` how often one
    tried: the shoppers of a sample, at most 2,000, in the groups of `stock.TRIES`; `refused` who was turned
    away at the entry, by limit.
    """

    outcomes: dict[str, int]
    shoppers: int
    tries: list[int]
    refused: dict[str, int]


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided batch: the store's time, epoch and sequence, and one answer an attempt."""

    now: int
    epoch: int
    seq: int
    phase: str
    answers: list[Answer]


@dataclass(frozen=True, slots=True)
class ItemStatus:
    """Units of one item as the store counts them; `quantity = free + held + paid + returned`."""

    quantity: int
    free: int
    held: int
    paid: int
    returned: int
    standby: int


@dataclass(frozen=True, slots=True)
class Status:
    """One atomic look at a sale. `phase` is not_open, open, paused or ended; no `queue`: nobody waits.

    `notice` is what is said of a pause: see `pauses`.
    """

    now: int
    epoch: int
    seq: int
    phase: str
    opens_at: int
    closes_at: int
    standby_size: int
    pay_within: int
    paused: bool
    queue: Queue | None
    items: Mapping[int, ItemStatus]
    notice: str = ""

    def standby_free(self, item: int) -> int:
        """Places left on standby; none where all units are paid, for then no unit can come free."""
        units = self.items[item]
        can_come_free = units.free or units.held
        return max(0, self.standby_size - units.standby) if can_come_free else 0

    def is_gone(self, item: int) -> bool:
        """Whether neither a unit nor a place on standby is to be had."""
        return self.items[item].free == 0 and self.standby_free(item) == 0


@dataclass(frozen=True, slots=True)
class Members:
    """Users of an item: units held (rid, pay_by), units paid (rid, pay_by, count), standby numbers."""

    holders: dict[int, tuple[str, int]] = field(default_factory=dict)
    owners: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    standby: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Own:
    """What one shopper has of a sale: his ticket, and of each item what an attempt would tell him again."""

    ticket: Ticket | None
    items: Mapping[int, Answer]


PAUSED = Answer("paused")

FULL_MS = 30_000
"""After how long somebody who found the line full may come again, on average."""

_PLAIN = {
    b"O": Answer("sold_out"),
    b"E": Answer("ended"),
    b"U": PAUSED,
    b"X": Answer("refused"),
    b"F": Answer("full", at=FULL_MS),
}


def read_answer(reply: bytes) -> Answer:
    """Read what one attempt was told (see `lua/attempt.lua`)."""
    plain = _PLAIN.get(reply)
    if plain is not None:
        return plain
    kind, *rest = reply.decode().split()
    if kind in ("R", "A", "P"):
        return Answer("reserved", kind == "R", kind == "P", rest[0], int(rest[1]))
    if kind == "S":
        return Answer("standby", number=int(rest[0]), position=int(rest[1]))
    if kind == "Q":
        return Answer("queued", number=int(rest[0]), at=int(rest[1]), position=int(rest[2]))
    return Answer("not_open" if kind == "N" else "slow_down", at=int(rest[0]))


def read_decided(reply: Sequence[bytes], attempts: int) -> Decided:
    """Read a decided batch. Raises ResponseError where answers are missing."""
    now, epoch, seq, phase = reply[0].split()
    if len(reply) != 1 + attempts:
        raise ResponseError(f"{len(reply) - 1} replies to {attempts} attempts")
    return Decided(int(now), int(epoch), int(seq), phase.decode(), [read_answer(text) for text in reply[1:]])


def read_flow(reply: Sequence[Any], entry: str) -> Flow:
    """Read what was counted; the names of what the entry refused begin with `entry`."""
    shoppers, tries, *pairs = reply
    counted = {name.decode(): int(number) for name, number in zip(pairs[::2], pairs[1::2], strict=True)}
    refused = {name: counted.pop(name) for name in list(counted) if name.startswith(entry)}
    told = {name.removeprefix(entry): number for name, number in refused.items()}
    return Flow(counted, int(shoppers), list(map(int, tries)), told)


def read_status(reply: Sequence[bytes] | None, items: Sequence[int]) -> Status | None:
    """Read one look at a sale; None for an unknown one."""
    if reply is None:
        return None
    now, epoch, seq, phase, *settings = reply[0].split()
    opens_at, closes_at, standby_size, pay_within, paused = map(int, settings)
    units = zip(items, reply[3:], strict=True)
    return Status(
        now=int(now),
        epoch=int(epoch),
        seq=int(seq),
        phase=phase.decode(),
        opens_at=opens_at,
        closes_at=closes_at,
        standby_size=standby_size,
        pay_within=pay_within,
        paused=bool(paused),
        queue=_read_queue(reply[1].decode()),
        items={item: ItemStatus(*map(int, text.split())) for item, text in units if text},
        notice=reply[2].decode(),
    )


def _read_queue(text: str) -> Queue | None:
    settings, *segments = text.split(";")
    tickets, rate, limit, tie_band, lots_at_open, *key = settings.split(" ")
    schedule = [_read_segment(segment) for segment in segments if segment]
    if not schedule:
        return None
    return Queue(
        schedule=schedule,
        tickets=int(tickets),
        rate=_or_none(int(rate)),
        limit=_or_none(int(limit)),
        tie_band=int(tie_band),
        lots_at_open=lots_at_open == "1",
        key="".join(key),
    )


def _read_segment(text: str) -> Segment:
    start, base, rate = map(int, text.split())
    return Segment(start, base, _or_none(rate))


def _or_none(number: int) -> int | None:
    return None if number < 0 else number


def read_members(reply: Sequence[Sequence[bytes]]) -> Members:
    """Read who holds, has paid or stands by."""
    holders, owners, standby = (list(zip(flat[::2], flat[1::2], strict=True)) for flat in reply)
    found = Members(standby={int(user): int(number) for user, number in standby})
    for user, unit in holders:
        rid, pay_by = unit.decode().split()
        found.holders[int(user)] = (rid, int(pay_by))
    for user, unit in owners:
        rid, pay_by, count = unit.decode().split()
        found.owners[int(user)] = (rid, int(pay_by), int(count))
    return found


def read_own(reply: Sequence[bytes], items: Sequence[int]) -> Own:
    """Read what one shopper has."""
    ticket = Ticket(*map(int, reply[0].split())) if reply[0] else None
    places = zip(items, reply[1:], strict=True)
    return Own(ticket, {item: read_answer(text) for item, text in places if text})
