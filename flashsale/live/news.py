"""What the store and the workers publish, heard by one subscription a process."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping

import redis.asyncio
from redis.exceptions import RedisError

AGAIN = 0.25
QUIET = 5.0
"""After so many silent seconds the connection is asked whether it lives, and given up after as many."""


async def hear(
    client: "redis.asyncio.Redis",
    channels: Mapping[bytes, Callable[[bytes], None]],
    *,
    anew: Callable[[], None] = lambda: None,
) -> None:
    """Hear these channels for ever; `anew` is called whenever hearing begins: earlier news may be lost."""
    while True:
        with contextlib.suppress(RedisError, OSError, TimeoutError):
            await client.initialize()  # a cluster's client learns of its servers
            async with client.pubsub() as subscription:
                await subscription.subscribe(*channels)
                await _hear(subscription, channels, anew)
        await asyncio.sleep(AGAIN)


async def _hear(
    subscription: "redis.asyncio.client.PubSub",
    channels: Mapping[bytes, Callable[[bytes], None]],
    anew: Callable[[], None],
) -> None:
    is_asked = False
    while True:
        message = await subscription.get_message(timeout=QUIET)
        if message is None:
            if is_asked:
                return
            await subscription.ping()
        elif message["type"] == "message":
            channels[message["channel"]](message["data"])
        elif message["type"] == "subscribe" and message["data"] == len(channels):
            anew()
        is_asked = message is None
