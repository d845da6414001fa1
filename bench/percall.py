"""The same gate with one store call an attempt, side by side: what group commit is held against."""

import asyncio
import os
import time
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from redis.exceptions import RedisError

from flashsale.gate import app
from flashsale.gate.batch import Decide, Decision
from flashsale.replies import PAUSED

SIDE_BY_SIDE = 64  # the gate's client keeps so many connections


class PerCall:
    """Stands in for `Batcher`: nobody waits for anybody, but for a connection."""

    def __init__(self, decide: Decide, **_: Any) -> None:
        self._decide = decide
        self._connections = asyncio.Semaphore(SIDE_BY_SIDE)

    async def attempt(self, item: int, user: int) -> Decision:
        """Decide one attempt by a call of its own."""
        async with self._connections:
            try:
                decided = await self._decide([(item, user)])
            except (RedisError, OSError, TimeoutError):
                return PAUSED, int(time.time() * 1000)
        return decided.answers[0], decided.now


app.Batcher = PerCall  # type: ignore[attr-defined, assignment]
application = app.application
