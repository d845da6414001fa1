"""Tells the store, once a second, how many attempts of a sale this process answered, and with what."""

import asyncio
import logging
from collections import defaultdict

import redis.asyncio
from redis.exceptions import RedisError

from flashsale import stock

logger = logging.getLogger(__name__)
EVERY = 1.0
PIECE = 1000
"""Shoppers told in one call, so that no decision waits behind it for more than a few ms."""


class Flow:
    """Answers of one sale that the store has not been told of. Nothing runs while nobody attempts."""

    def __init__(self, client: "redis.asyncio.Redis", sale: int) -> None:
        self._client, self._sale = client, sale
        self._outcomes: defaultdict[str, int] = defaultdict(int)
        self._users: list[int] = []
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def note(self, outcome: str, user: int) -> None:
        """An attempt was answered."""
        self._outcomes[outcome] += 1
        self._users.append(user)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY, self._start)

    def _start(self) -> None:
        self._timer, self._task = None, asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        """Tell it once; a store that is silent misses this second, for nothing is decided by it."""
        outcomes, users = dict(self._outcomes), self._users
        self._outcomes, self._users = defaultdict(int), []
        try:
            for start in range(0, len(users), PIECE):
                call = stock.count(self._sale, outcomes, users[start : start + PIECE])
                await stock.run_async(self._client, call)
                outcomes = {}
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("Some of %d answers of sale %s are not counted: %s", len(users), self._sale, error)
