"""The same gate with one store call an attempt, side by side: what group commit is held against."""

import asyncio
import os
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from redis.exceptions import RedisError

from flashsale.gate import app
from flashsale.gate.answers import Reply
from flashsale.gate.batch import Decide, Tell
from flashsale.replies import PAUSED

SIDE_BY_SIDE = 64  # the gate's client keeps so many connections


class PerCall:
    """Stands in for `Batcher`: nobody waits for anybody, but for a connection."""

    def __init__(self, decide: Decide, tell: Tell[Reply], **_: Any) -> None:
        self._decide, self._tell = decide, tell
        self._connections = asyncio.Semaphore(SIDE_BY_SIDE)

    async def attempt(self, item: int, user: int) -> Reply:
        """Decide one attempt by a call of its own."""
        since = time.monotonic()
        async with self._connections:
            try:
                decided = await self._decide([(item, user)])
            except (RedisError, OSError, TimeoutError):
                return self._tell(user, PAUSED, int(time.time() * 1000), since)
        return self._tell(user, decided.answers[0], decided.now, since)


app.Batcher = PerCall  # type: ignore[attr-defined, assignment]
application = app.application
