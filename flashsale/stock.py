"""The one door to the sale's memory: every key, every function, one typed method each.

A `Call` is built and its reply read here, once; two thin transports carry it: `run` (django-redis, for
web and worker) and `run_async` (redis.asyncio, for the gate). The functions and the layout of the keys are
described in `lua/`. Times are milliseconds since 1970 by the store's clock.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Generic, TypeVar

import redis.asyncio
from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import ResponseError

from flashsale.replies import (
    Answer,
    Decided,
    Flow,
    Members,
    Own,
    Status,
    read_decided,
    read_flow,
    read_members,
    read_own,
    read_status,
)
from shop import store

T = TypeVar("T")
NEWS = "fs:news"
RESULTS = "fs:results"
LOOKS = "fs:looks"
BLOCKED = "fs:blocked"
TRIES = ("1", "2", "3", "4–5", "6–10", "11–30", "31+")
REFUSED = "entry "
"""Begins the names under which the refusals of the entry stand among the outcomes of attempts."""
NO_SALE = 0
"""As news: not of one sale, the list of the blocked has changed."""

GROUP = "orders"
FILES = ("common", "queue", "attempt", "release", "manage")


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One function call: its name, keys and arguments, and how its reply is read."""

    function: str
    keys: Sequence[str]
    args: Sequence[str | int]
    read: Callable[[Any], T]
    reads_only: bool = False
    promises: bool = False  # the shopper is told of it: first STORE_REPLICAS replicas must have it


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
    """Keys of the sale itself: its settings, its stream and its line."""
    return [f"fs:{{{sale}}}:{kind}" for kind in ("sale", "stream", "line")]


def item_keys(sale: int, item: int) -> list[str]:
    """Keys of one item, in the order in which every function expects them."""
    return [f"fs:{{{sale}}}:{kind}:{item}" for kind in ("item", "holders", "owners", "standby")]


def _text(numbers: Iterable[int]) -> str:
    """Thousands of numbers as one argument: the client's work is for each argument, not for each digit."""
    return " ".join(map(str, numbers))


def _flow_keys(sale: int) -> list[str]:
    return [*sale_keys(sale), *(f"fs:{{{sale}}}:{kind}" for kind in ("flow", "seen", "each"))]


def _keys(sale: int, items: Sequence[int]) -> list[str]:
    return sale_keys(sale) + [key for item in items for key in item_keys(sale, item)]


def attempt(sale: int, attempts: Sequence[tuple[int, int]], *, per_minute: int) -> Call[Decided]:
    """Decide a batch of (item, user) in order; each shopper may try `per_minute` times a minute."""
    items = list(dict.fromkeys(item for item, _ in attempts))
    index = {item: i for i, item in enumerate(items, 1)}
    asked = " ".join([f"{index[item]} {user}" for item, user in attempts])
    keys = [*_keys(sale, items), f"fs:{{{sale}}}:tries:"]
    return Call(
        "attempt",
        keys,
        [per_minute, len(items), asked],
        lambda reply: read_decided(reply, len(attempts)),
        promises=True,
    )


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


def pause(sale: int, *, paused: bool, notice: str = "") -> Call[bool]:
    """Pause or resume a sale and keep what is said of it; False if the store does not know the sale."""
    return Call("pace", sale_keys(sale), [int(paused), "", notice], bool)


def fence(sale: int, epoch: int) -> Call[bool]:
    """Give nothing away until the sale is loaded under this epoch or a later one, and load no older one.

    Until then ends, leavings and changes of units raise ResponseError: they are to be told again.
    """
    return Call("fence", sale_keys(sale), [epoch], bool)


def set_rate(sale: int, rate: int | None) -> Call[bool]:
    """Serve so many tickets a second from now on, None for no limit; False for an unknown sale."""
    return Call("pace", sale_keys(sale), ["", -1 if rate is None else rate], bool)


def resize(sale: int, item: int, *, quantity: int, seen: int) -> Call[int]:
    """Give an item so many units in all; new ones go to standby first. Reply how many it has now.

    Units that somebody holds or has paid are never taken away. Reply -1 for an unknown item, and -2 where it
    has not the units that were `seen`: then nothing is changed.
    """
    return Call("resize", _keys(sale, [item]), [quantity, seen], int)


def count(sale: int, outcomes: Mapping[str, int], users: Collection[int]) -> Call[bool]:
    """Count attempts that were answered, and who made them; False for an unknown sale."""
    pairs = [part for pair in outcomes.items() for part in pair]
    return Call("count", _flow_keys(sale), [*pairs, _text(users)], bool)


def refuse(sale: int, limits: Iterable[str]) -> Call[bool]:
    """Count a post that each of these limits refused at the entry; False for an unknown sale."""
    return count(sale, {REFUSED + limit: 1 for limit in limits}, [])


def flow(sale: int) -> Call[Flow]:
    """What was counted so far by `count` and `refuse`."""
    return Call("flow", _flow_keys(sale), [], lambda reply: read_flow(reply, REFUSED))


def forget(sale: int, items: Sequence[int]) -> Call[int]:
    """Remove everything the store knows of a rehearsal; reply how many keys there were."""
    of_items = [key for item in items for key in item_keys(sale, item)]
    return Call("forget", [*_flow_keys(sale), *of_items], [], int)


def close(sale: int, items: Sequence[int]) -> Call[bool]:
    """End a sale for good: free units are returned, standby is over. Safe to repeat."""
    return Call("close", _keys(sale, items), [], bool)


def status(sale: int, items: Sequence[int]) -> Call[Status | None]:
    """One atomic look at a sale; None if the store does not know it."""
    return Call("status", _keys(sale, items), [], lambda reply: read_status(reply, items), reads_only=True)


def members(sale: int, item: int) -> Call[Members]:
    """Who holds, has paid or stands by, of one item."""
    return Call("members", _keys(sale, [item]), [], read_members, reads_only=True)


def users(sale: int, item: int) -> Call[frozenset[int]]:
    """Whoever holds, has paid or stands by, of one item."""
    return Call("users", _keys(sale, [item]), [], lambda r: frozenset(map(int, r.split())), reads_only=True)


def standby(sale: int, item: int) -> Call[list[int]]:
    """Who stands by for one item, in order."""
    return Call("standby", _keys(sale, [item]), [], lambda reply: list(map(int, reply)), reads_only=True)


def line(sale: int, start: int, count: int) -> Call[list[tuple[int, int]]]:
    """(user, score) of the tickets from rank `start` on, at most `count`, in the order of the line."""

    def read(reply: list[bytes]) -> list[tuple[int, int]]:
        return [(int(user), int(score)) for user, score in zip(reply[::2], reply[1::2], strict=True)]

    return Call("line", sale_keys(sale), [start, count], read, reads_only=True)


def own(sale: int, items: Sequence[int], users: Sequence[int]) -> Call[list[Own]]:
    """What each of some users has of a sale."""

    def read(reply: list[list[bytes]]) -> list[Own]:
        return [read_own(one, items) for one in reply]

    return Call("own", _keys(sale, items), list(users), read, reads_only=True)


def place(sale: int, item: int, *, user: int) -> Call[Answer | None]:
    """What one shopper has of an item, as an attempt would tell him again; None for nothing. Reads only."""
    one = own(sale, [item], [user])
    return Call(
        one.function, one.keys, one.args, lambda reply: one.read(reply)[0].items.get(item), reads_only=True
    )


def _command(call: Call[Any]) -> list[str | int]:
    name = "FCALL_RO" if call.reads_only else "FCALL"
    return [name, f"{call.function}_{library()[0]}", len(call.keys), *call.keys, *call.args]


def _replicas(call: Call[Any]) -> int:
    return settings.STORE_REPLICAS if call.promises else 0


def _is_missing(error: ResponseError) -> bool:
    return "Function not found" in str(error)


def run(call: Call[T]) -> T:
    """Carry a call for web or worker. Raises redis.exceptions.RedisError if the store does not answer."""
    client = get_redis_connection("sale")
    try:
        reply = store.execute(client, _command(call), replicas=_replicas(call))
    except ResponseError as error:
        if not _is_missing(error):
            raise
        client.function_load(library()[1], replace=True)
        reply = store.execute(client, _command(call), replicas=_replicas(call))
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


def run_together(calls: Sequence[Call[Any]]) -> list[Any]:
    """Carry calls of one sale as one atomic step. Raises RedisError."""
    pipeline = get_redis_connection("sale").pipeline(transaction=True)
    for call in calls:
        pipeline.execute_command(*_command(call))
    return [call.read(reply) for call, reply in zip(calls, pipeline.execute(), strict=True)]


def save_keys(sale: int, items: Sequence[int]) -> dict[str, str]:
    """Return a sale's keys as the store serialises them (hexadecimal), all at once. Raises RedisError."""
    names = _keys(sale, items)
    pipeline = get_redis_connection("sale").pipeline(transaction=True)
    for name in names:
        pipeline.dump(name)
    return {name: value.hex() for name, value in zip(names, pipeline.execute(), strict=True) if value}


def put_back_keys(sale: int, keys: Mapping[str, str]) -> None:
    """Replace a sale in the store by what `save_keys` returned. Raises RedisError."""
    client = get_redis_connection("sale")
    there = list(client.scan_iter(f"fs:{{{sale}}}:*", count=1000))
    pipeline = client.pipeline(transaction=True)
    if there:
        pipeline.delete(*there)
    for name, value in keys.items():
        pipeline.restore(name, 0, bytes.fromhex(value))
    pipeline.execute()


def _pipeline(calls: Sequence[Call[Any]]) -> list[Any]:
    pipeline = get_redis_connection("sale").pipeline(transaction=False)
    for call in calls:
        pipeline.execute_command(*_command(call))
    return list(pipeline.execute(raise_on_error=False))


def tell_blocked(users: Iterable[int]) -> bool:
    """Tell every gate who is blocked, whatever pass he has; False if they know it already."""
    client, text = get_redis_connection("sale"), " ".join(map(str, sorted(users))).encode()
    if (client.get(BLOCKED) or b"") == text:
        return False
    client.set(BLOCKED, text)
    client.publish(NEWS, NO_SALE)
    return True


async def blocked_async(client: "redis.asyncio.Redis") -> frozenset[int]:
    """Return who is blocked, as the gates were told last."""
    return frozenset(map(int, (await client.get(BLOCKED) or b"").split()))


async def items_async(client: "redis.asyncio.Redis", sale: int) -> list[int]:
    """Return the items of a sale, as the store knows them; none for an unknown sale."""
    text = await client.hget(sale_keys(sale)[0], "items")
    return [int(item) for item in (text or b"").split()]


async def durability_fault(client: "redis.asyncio.Redis") -> str:
    """Say why an answer of this store might not survive a power cut; empty if it does."""
    wanted = {"appendonly": "yes", "appendfsync": "always", "no-appendfsync-on-rewrite": "no"}
    await client.initialize()  # a cluster's client knows its servers then
    for server in store.servers(client):
        for name, value in wanted.items():
            found = (await client.config_get(name, **server)).get(name)
            if found != value:
                return f"{name} is {found}, not {value}"
    return ""


async def run_async(client: "redis.asyncio.Redis", call: Call[T]) -> T:
    """Carry a call for the gate. Raises redis.exceptions.RedisError if the store does not answer."""
    try:
        reply = await store.execute_async(client, _command(call), replicas=_replicas(call))
    except ResponseError as error:
        if not _is_missing(error):
            raise
        await client.function_load(library()[1], replace=True)
        reply = await store.execute_async(client, _command(call), replicas=_replicas(call))
    return call.read(reply)
