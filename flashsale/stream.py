"""The stream of a sale: what the store decided, in order, until the workers have recorded it.

At least once: an entry is acknowledged after its transaction has committed, and what a dead worker left is
claimed by another. Entries are deleted one by one after they were recorded and never trimmed by length:
trimming drops entries that nobody has read.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django_redis import get_redis_connection
from redis.exceptions import ResponseError

from flashsale.stock import GROUP, sale_keys
from shop import store

ASK_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class Entry:
    """`kind` is reserved, promoted, standby or left; `ref` is "item-epoch-number"; times in ms.

    `standby` is the place that was taken, left or promoted; 0 for a reservation from free stock.
    """

    id: str
    kind: str
    user: int
    ref: str
    at: int
    pay_by: int
    standby: int = 0

    @property
    def item(self) -> int:
        return int(self.ref.split("-")[0])

    @property
    def epoch(self) -> int:
        return int(self.ref.split("-")[1])

    @property
    def happened_at(self) -> datetime:
        return datetime.fromtimestamp(self.at / 1000, UTC)

    @property
    def deadline(self) -> datetime:
        return datetime.fromtimestamp(self.pay_by / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Entries not yet read, read but not acknowledged, and the age of the oldest of all (ms)."""

    unread: int
    pending: int
    oldest_ms: int


def _entry(entry_id: bytes, fields: Mapping[bytes, bytes]) -> Entry:
    text = {key.decode(): value.decode() for key, value in fields.items()}
    return Entry(
        id=entry_id.decode(),
        kind=text["kind"],
        user=int(text["user"]),
        ref=text["ref"],
        at=int(text["at"]),
        pay_by=int(text["pay_by"]),
        standby=int(text.get("standby", 0)),
    )


def _stream(sale: int) -> str:
    return sale_keys(sale)[1]


def read(
    sales: Sequence[int], *, consumer: str, count: int, block_ms: int | None = None
) -> dict[int, list[Entry]]:
    """Read up to `count` new entries of each sale; wait up to `block_ms` for the first one of any."""
    client = get_redis_connection("sale")
    if isinstance(client, store.Cluster) and len(sales) > 1:
        return _read_each(sales, consumer=consumer, count=count, block_ms=block_ms)
    streams = {_stream(sale): sale for sale in sales}
    try:
        reply = client.xreadgroup(GROUP, consumer, dict.fromkeys(streams, ">"), count=count, block=block_ms)
    except ResponseError as error:
        if "NOGROUP" not in str(error):
            raise
        for sale in sales:
            _create_group(sale)
        reply = client.xreadgroup(GROUP, consumer, dict.fromkeys(streams, ">"), count=count, block=block_ms)
    return {
        streams[key.decode()]: [_entry(entry_id, fields) for entry_id, fields in rows] for key, rows in reply
    }


def _read_each(
    sales: Sequence[int], *, consumer: str, count: int, block_ms: int | None
) -> dict[int, list[Entry]]:
    """Ask stream by stream: in a cluster each sale may live on another server, and one call asks only one."""
    until = time.monotonic() + (block_ms or 0) / 1000
    while True:
        found: dict[int, list[Entry]] = {}
        for sale in sales:
            found |= read([sale], consumer=consumer, count=count)
        if found or time.monotonic() >= until:
            return found
        time.sleep(ASK_EVERY)


def _create_group(sale: int) -> None:
    try:
        get_redis_connection("sale").xgroup_create(_stream(sale), GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def claim(sale: int, *, consumer: str, count: int, idle_ms: int | None = None) -> list[Entry]:
    """Take over entries that another worker read and did not acknowledge for `idle_ms`; 15 s unless set."""
    idle_ms = settings.STREAM_CLAIM_AFTER_MS if idle_ms is None else idle_ms
    client = get_redis_connection("sale")
    try:
        _, rows, _ = client.xautoclaim(_stream(sale), GROUP, consumer, idle_ms, "0-0", count=count)
    except ResponseError as error:
        if "NOGROUP" in str(error):
            return []
        raise
    return [_entry(entry_id, fields) for entry_id, fields in rows if fields]


def deliveries(sale: int, ids: Sequence[str]) -> dict[str, int]:
    """How often each of these pending entries was delivered."""
    client = get_redis_connection("sale")
    rows = client.xpending_range(_stream(sale), GROUP, min=min(ids), max=max(ids), count=10 * len(ids) + 100)
    return {row["message_id"].decode(): row["times_delivered"] for row in rows}


def acknowledge(sale: int, ids: Sequence[str]) -> None:
    """Forget entries whose transaction has committed."""
    if ids:
        pipeline = get_redis_connection("sale").pipeline(transaction=True)
        pipeline.xack(_stream(sale), GROUP, *ids)
        pipeline.xdel(_stream(sale), *ids)
        pipeline.execute()


def backlog(sale: int) -> Backlog:
    """What is still to be recorded; all zero for an unknown sale."""
    client = get_redis_connection("sale")
    try:
        pending = client.xpending(_stream(sale), GROUP)["pending"]
        length = client.xlen(_stream(sale))
        first = client.xrange(_stream(sale), count=1)
    except ResponseError as error:
        if "NOGROUP" in str(error) or "no such key" in str(error).lower():
            return Backlog(0, 0, 0)
        raise
    seconds, micro = client.time(**store.server_of(client, _stream(sale)))
    oldest = seconds * 1000 + micro // 1000 - int(first[0][0].split(b"-")[0]) if first else 0
    return Backlog(unread=length - pending, pending=pending, oldest_ms=max(oldest, 0))
