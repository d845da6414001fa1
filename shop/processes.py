"""What each process of a role says of itself, every few seconds, for the people who look after the shop.

`/metrics` answers for one process, and nobody here knows the addresses of the others: so each leaves a line
in the cache, in one sorted set for its role. Not in the sale's memory, where a write is an fsync on the path
of a sale. Nothing is decided by it: without the cache nothing is told, nothing is known and nothing waits
longer than for the cache.
"""

import json
import os
import secrets
import time
from collections.abc import Sequence
from typing import Any

import redis.asyncio
from django_redis import get_redis_connection
from redis.exceptions import RedisError

EVERY = 5.0
"""Seconds between two lines of a process."""
KEPT = 60.0
AWAY = (RedisError, OSError, TimeoutError)
BORN = secrets.token_hex(4)


def tell(role: str, figures: Sequence[int]) -> None:
    """Say figures of this process; they take the place of what it said before. Without the cache: nothing."""
    try:
        _write(get_redis_connection("default").pipeline(transaction=True), role, figures).execute()
    except AWAY:
        return


async def tell_async(client: "redis.asyncio.Redis", role: str, figures: Sequence[int]) -> None:
    """The same in a process with a loop; `client` is one of the cache."""
    try:
        await _write(client.pipeline(transaction=True), role, figures).execute()
    except AWAY:
        return


def told(role: str, *, within: float = KEPT) -> list[list[int]] | None:
    """Return what each process said last, none of it older than so many seconds. Without the cache: None."""
    now = time.time()
    try:
        lines = get_redis_connection("default").zrangebyscore(_key(role), now - within, "+inf")
    except AWAY:
        return None
    # Oldest first: of the lines of one process the newest stays.
    newest = dict(line.decode().split(" ", 1) for line in lines)
    return [json.loads(figures) for figures in newest.values()]


def _write(pipeline: Any, role: str, figures: Sequence[int]) -> Any:
    now, key = time.time(), _key(role)
    # Both: a fork has the same BORN as its parent, and a process in another container the same number.
    line = f"{BORN}-{os.getpid()} {json.dumps(list(figures), separators=(',', ':'))}"
    pipeline.zadd(key, {line: now})
    pipeline.zremrangebyscore(key, 0, now - KEPT)
    pipeline.expire(key, int(KEPT))
    return pipeline


def _key(role: str) -> str:
    return f"processes:{role}"
