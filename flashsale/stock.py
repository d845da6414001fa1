"""The one door to the sale's memory: every key, every function, one typed method each.

A `Call` is built and its reply read here, once; two thin transports carry it: `run` (django-redis, for
web and worker) and `run_async` (redis.asyncio, for the gate). The functions and the layout of the keys are
described in `lua/`. Times are milliseconds since 1970 by the store's clock.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

import redis.asyncio
from django_redis import get_redis_connection
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError
from redis.retry import Retry

T = TypeVar("T")
NEWS = "fs:news"
GROUP = "orders"
FILES = ("common", "attempt", "release", "manage")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One function call: its name, keys and arguments, and how its reply is read."""

    function: str
    keys: Sequence[str]
    args: Sequence[str | int]
    read: Callable[[Any], T]
    reads_only: bool = False


class Answer(NamedTuple):
    """What one attempt was told.

    `outcome` is one of reserved, standby, sold_out, not_open, ended, paused, slow_down, refused.
    """

    outcome: str
    first: bool = False
    paid: bool = False
    rid: str = ""
    pay_by: int = 0
    number: int = 0
    position: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Decided:
    """A decided batch: the store's time, epoch and sequence, what is left, and one answer an attempt."""

    now: int
    epoch: int
    seq: int
    phase: str
    left: Mapping[int, tuple[int, int]]
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
    """One atomic look at a sale. `phase` is not_open, open, paused or ended."""

    now: int
    epoch: int
    seq: int
    phase: str
    opens_at: int
    closes_at: int
    standby_size: int
    pay_within: int
    paused: bool
    items: Mapping[int, ItemStatus]


@dataclass(frozen=True, slots=True)
class Members:
    """Users of an item: units held (rid, pay_by), units paid (rid, pay_by, count), standby numbers."""

    holders: dict[int, tuple[str, int]] = field(default_factory=dict)
    owners: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    standby: dict[int, int] = field(default_factory=dict)


@cache
def library() -> tuple[str, str]:
    """Return the version and the text of the function library.

    The version is in every name, so that an old and a new gate can work side by side on one store.
    """
    folder = Path(__file__).parent / "lua"
    text = "\n".join((folder / f"{name}.lua").read_text() for name in FILES)
    version = hashlib.sha256(text.encode()).hexdigest()[:12]
    return version, text.replace("@VERSION@", version)


def sale_keys(sale: int) -> list[str]:
    """Keys of the sale itself: its settings and its stream."""
    return [f"fs:{{{sale}}}:sale", f"fs:{{{sale}}}:stream"]


def item_keys(sale: int, item: int) -> list[str]:
    """Keys of one item, in the order in which every function expects them."""
    return [f"fs:{{{sale}}}:{kind}:{item}" for kind in ("item", "holders", "owners", "standby")]


def _keys(sale: int, items: Sequence[int]) -> list[str]:
    return sale_keys(sale) + [key for item in items for key in item_keys(sale, item)]


def _read_left(text: bytes) -> tuple[int, int]:
    free, standby = text.split()
    return int(free), int(standby)


_PLAIN = {b"O": Answer("sold_out"), b"E": Answer("ended"), b"U": Answer("paused"), b"X": Answer("refused")}


def _read_answer(reply: bytes) -> Answer:
    plain = _PLAIN.get(reply)
    if plain is not None:
        return plain
    kind, *rest = reply.split()
    if kind in (b"R", b"A", b"P"):
        return Answer(
            "reserved", first=kind == b"R", paid=kind == b"P", rid=rest[0].decode(), pay_by=int(rest[1])
        )
    if kind == b"S":
        return Answer("standby", number=int(rest[0]), position=int(rest[1]))
    return Answer("not_open" if kind == b"N" else "slow_down", at=int(rest[0]))


def attempt(sale: int, attempts: Sequence[tuple[int, int]], *, per_minute: int) -> Call[Decided]:
    """Decide a batch of (item, user) in order; each shopper may try `per_minute` times a minute."""
    items = list(dict.fromkeys(item for item, _ in attempts))
    index = {item: i for i, item in enumerate(items, 1)}
    keys = [*sale_keys(sale), f"fs:{{{sale}}}:tries:"]
    for item in items:
        keys += item_keys(sale, item)
    args: list[str | int] = [per_minute, len(items)]
    for item, user in attempts:
        args += (index[item], user)

    def read(reply: list[bytes]) -> Decided:
        now, epoch, seq, phase = reply[0].split()
        if len(reply) != 1 + len(items) + len(attempts):
            raise ResponseError(f"{len(reply)} replies to {len(attempts)} attempts")
        left = {item: _read_left(text) for item, text in zip(items, reply[1:], strict=False)}
        answers = [_read_answer(text) for text in reply[1 + len(items) :]]
        return Decided(int(now), int(epoch), int(seq), phase.decode(), left, answers)

    return Call("attempt", keys, args, read)


def release(sale: int, item: int, *, user: int, rid: str) -> Call[str]:
    """Give a unit back; reply `gone`, `free`, `returned`, or the user to whom it went. Safe to repeat."""
    return Call("release", _keys(sale, [item]), [user, rid], lambda reply: str(reply.decode()))


def pay(sale: int, item: int, *, user: int, rid: str) -> Call[bool]:
    """Count a held unit as paid; False if this reservation is not held. Safe to repeat."""
    return Call("pay", _keys(sale, [item]), [user, rid], bool)


def leave(sale: int, item: int, *, user: int) -> Call[bool]:
    """Give up a place on standby; False if there was none."""
    return Call("leave", _keys(sale, [item]), [user], bool)


def load(sale: int, document: Mapping[str, Any]) -> Call[str]:
    """Write a sale as PostgreSQL knows it (see `lua/manage.lua`); reply `loaded`, `updated` or `old`."""
    items = [int(item["id"]) for item in document["items"]]
    return Call("load", _keys(sale, items), [json.dumps(document)], lambda reply: str(reply.decode()))


def pause(sale: int, *, paused: bool) -> Call[bool]:
    """Pause or resume a sale; False if the store does not know it."""
    return Call("pause", sale_keys(sale), [int(paused)], bool)


def close(sale: int, items: Sequence[int]) -> Call[bool]:
    """End a sale for good: free units are returned, standby is over. Safe to repeat."""
    return Call("close", _keys(sale, items), [], bool)


def status(sale: int, items: Sequence[int]) -> Call[Status | None]:
    """One atomic look at a sale; None if the store does not know it."""

    def read(reply: list[bytes] | None) -> Status | None:
        if reply is None:
            return None
        now, epoch, seq, phase, *settings = reply[0].split()
        found = {
            item: ItemStatus(*map(int, text.split()))
            for item, text in zip(items, reply[1:], strict=True)
            if text
        }
        opens_at, closes_at, standby_size, pay_within, paused = map(int, settings)
        return Status(
            int(now),
            int(epoch),
            int(seq),
            phase.decode(),
            opens_at,
            closes_at,
            standby_size,
            pay_within,
            bool(paused),
            found,
        )

    return Call("status", _keys(sale, items), [], read, reads_only=True)


def members(sale: int, item: int) -> Call[Members]:
    """Who holds, has paid or stands by, of one item."""

    def read(reply: list[list[bytes]]) -> Members:
        holders, owners, standby = (list(zip(flat[::2], flat[1::2], strict=True)) for flat in reply)
        found = Members(standby={int(user): int(number) for user, number in standby})
        for user, unit in holders:
            rid, pay_by = unit.decode().split()
            found.holders[int(user)] = (rid, int(pay_by))
        for user, unit in owners:
            rid, pay_by, count = unit.decode().split()
            found.owners[int(user)] = (rid, int(pay_by), int(count))
        return found

    return Call("members", _keys(sale, [item]), [], read, reads_only=True)


def place(sale: int, item: int, *, user: int) -> Call[Answer | None]:
    """What one shopper has of an item, as an attempt would tell him again; None for nothing. Reads only."""
    keys = _keys(sale, [item])
    return Call("place", keys, [user], lambda reply: _read_answer(reply) if reply else None, reads_only=True)


def _command(call: Call[Any]) -> list[str | int]:
    name = "FCALL_RO" if call.reads_only else "FCALL"
    return [name, f"{call.function}_{library()[0]}", len(call.keys), *call.keys, *call.args]


def _is_missing(error: ResponseError) -> bool:
    return "Function not found" in str(error)


def run(call: Call[T]) -> T:
    """Carry a call for web or worker. Raises redis.exceptions.RedisError if the store does not answer."""
    client = get_redis_connection("sale")
    try:
        reply = client.execute_command(*_command(call))
    except ResponseError as error:
        if not _is_missing(error):
            raise
        client.function_load(library()[1], replace=True)
        reply = client.execute_command(*_command(call))
    return call.read(reply)


def run_all(calls: Sequence[Call[T]]) -> list[T | None]:
    """Carry many calls in one round trip; None for one that failed. Raises RedisError if it is away."""
    replies = _pipeline(calls)
    if any(isinstance(reply, ResponseError) and _is_missing(reply) for reply in replies):
        get_redis_connection("sale").function_load(library()[1], replace=True)
        replies = _pipeline(calls)
    return [
        None if isinstance(reply, Exception) else call.read(reply)
        for call, reply in zip(calls, replies, strict=True)
    ]


def _pipeline(calls: Sequence[Call[Any]]) -> list[Any]:
    pipeline = get_redis_connection("sale").pipeline(transaction=False)
    for call in calls:
        pipeline.execute_command(*_command(call))
    return list(pipeline.execute(raise_on_error=False))


def connect_async(url: str) -> "redis.asyncio.Redis":
    """Open the gate's client: bounded waits, and no silent resend (a batch sent twice is our decision).

    With all connections in use a call waits for one; it is not refused.
    """
    pool = redis.asyncio.BlockingConnectionPool.from_url(
        url,
        socket_connect_timeout=0.25,
        socket_timeout=1.0,
        retry=Retry(NoBackoff(), 0),
        max_connections=64,
        timeout=1.0,
    )
    return redis.asyncio.Redis.from_pool(pool)


async def items_async(client: "redis.asyncio.Redis", sale: int) -> list[int]:
    """Return the items of a sale, as the store knows them; none for an unknown sale."""
    text = await client.hget(sale_keys(sale)[0], "items")
    return [int(item) for item in (text or b"").split()]


async def durability_fault(client: "redis.asyncio.Redis") -> str:
    """Say why an answer of this store might not survive a power cut; empty if it does."""
    wanted = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no"}
    for name, value in wanted.items():
        found = (await client.config_get(name)).get(name)
        if found != value:
            return f"{name} is {found}, not {value}"
    return ""


async def run_async(client: "redis.asyncio.Redis", call: Call[T]) -> T:
    """Carry a call for the gate. Raises redis.exceptions.RedisError if the store does not answer."""
    try:
        reply = await client.execute_command(*_command(call))  # type: ignore[no-untyped-call]
    except ResponseError as error:
        if not _is_missing(error):
            raise
        await client.function_load(library()[1], replace=True)
        reply = await client.execute_command(*_command(call))  # type: ignore[no-untyped-call]
    return call.read(reply)
