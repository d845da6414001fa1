"""One open stream: what it still has to be told, and the one writer that tells it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

Send = Callable[[dict[str, Any]], Awaitable[None]]
BEATS = 15
"""A heartbeat every so many seconds; the streams take turns, a fifteenth of them every second."""

STUCK_SECONDS = 10.0


class Listener:
    """A shopper's connection. Small, for there are many: no queue and no task while there is nothing to tell.

    What waits for a slow reader is the newest of each kind only, so that it is bounded whatever happens; who
    has not read for ten seconds is dropped.
    """

    __slots__ = ("_send", "_since", "_waiting", "_writer", "beat", "user")

    def __init__(self, user: int, send: Send, beat: int) -> None:
        self.user = user
        self.beat = beat % BEATS
        self._send = send
        self._since = 0.0
        self._waiting: dict[object, bytes] | None = None
        self._writer: asyncio.Task[None] | None = None

    def push(self, kind: object, data: bytes) -> None:
        """Tell it soon; data of the same kind that has not left yet is replaced."""
        if self._waiting is not None:
            self._waiting[kind] = data
            return
        self._waiting, self._since = {kind: data}, time.monotonic()
        self._writer = asyncio.create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                data, self._waiting = b"".join(self._waiting.values()), {}
                await self._send({"type": "http.response.body", "body": data, "more_body": True})
        finally:
            self._waiting = self._writer = None

    def is_stuck(self, now: float) -> bool:
        """Whether it has not taken what was sent for too long; `now` of the monotonic clock (s)."""
        return self._waiting is not None and now - self._since > STUCK_SECONDS

    def drop(self) -> None:
        """Hang up without waiting for the reader."""
        if self._writer is not None:
            self._writer.cancel()
        # ASGI has no word for it, and closing politely would keep what the reader does not take.
        transport = getattr(getattr(self._send, "__self__", None), "transport", None)
        if transport is not None:
            transport.abort()

    async def end(self, last: bytes) -> None:
        """Say a last word and end the stream."""
        await self._send({"type": "http.response.body", "body": last, "more_body": False})

    async def stop(self) -> None:
        """End the stream because the process ends; a reader who does not read is not waited for."""
        if self._waiting is None:
            await self.end(b"")
        else:
            self.drop()
