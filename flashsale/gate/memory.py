"""What the gate remembers of each sale, so that refusals cost the store nothing.

Kept true by the store's news (publish/subscribe) and by a short time to live; whoever holds a unit or a
standby place is always asked for in the store, however sold out the sale is.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

import redis.asyncio
from redis.exceptions import RedisError

from flashsale import stock
from flashsale.stock import Answer, Status

logger = logging.getLogger(__name__)
FRESH = 1.0
RENEW = 0.5
MARGIN_MS = 1000
Mark = tuple[int, int]


class SaleMemory:
    """One sale as the gate saw it last."""

    def __init__(self, client: "redis.asyncio.Redis", sale: int) -> None:
        self._client = client
        self._sale = sale
        self._refreshing: asyncio.Task[None] | None = None
        self._stale = True
        self._read_at = 0.0
        self.seen: Mark = (0, 0)
        self._members_seq = -1
        self._members: dict[int, frozenset[int]] = {}
        self.status: Status | None = None
        self.went_backwards = False

    def now(self) -> int:
        """The store's time as estimated from the last look at it (ms)."""
        if self.status is None:
            return int(time.time() * 1000)
        return self.status.now + int((time.monotonic() - self._read_at) * 1000)

    def age(self) -> float:
        """Seconds since the last look."""
        return time.monotonic() - self._read_at

    def short_answer(self, item: int, user: int) -> Answer | None:
        """Answer without the store where that is certain; None means the store must decide."""
        age = self.age()
        if age > RENEW or self._stale:
            self.renew()
        if self.status is None or self._stale or age > FRESH:
            return None
        answer = self._refusal(self.status, item)
        if answer is None or user in self._members.get(item, frozenset()):
            return None
        return answer

    def _refusal(self, status: Status, item: int) -> Answer | None:
        if self._members_seq != status.seq:
            return None
        now = self.now()
        if status.phase == "ended":
            return Answer("ended")
        if status.phase == "not_open":
            # Close to the opening the store's clock decides, not this process's estimate of it.
            return Answer("not_open", at=status.opens_at) if now < status.opens_at - MARGIN_MS else None
        if now >= status.closes_at - MARGIN_MS:
            return None
        if status.phase == "paused":
            return Answer("paused")
        units = status.items.get(item)
        if units and units.free == 0 and units.standby >= status.standby_size:
            return Answer("sold_out")
        return None

    def notice(self, mark: Mark, *, asked_at: Mark) -> None:
        """Remember the highest (epoch, sequence); a store that answers with less has forgotten.

        Replies of several calls may overtake each other, so a reply is compared with what was known when
        its call was sent (`asked_at`), not with what has become known since.
        """
        if mark < asked_at and mark[0]:
            self.went_backwards = True
            logger.critical("Sale %s went back from %s to %s.", self._sale, asked_at, mark)
        elif mark > self.seen:
            self.went_backwards = self.went_backwards and mark[0] == self.seen[0]
            self.seen = mark

    def forget(self) -> None:
        """The store has news: look again before the next short answer."""
        self._stale = True
        self.renew()

    def renew(self) -> None:
        """Look at the store in the background, one look at a time."""
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            await self.look()
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("The store did not tell of sale %s: %s", self._sale, type(error).__name__)
        finally:
            self._refreshing = None

    async def look(self) -> None:
        """Read the sale and, where attempts can be refused, who must not be refused."""
        # Cleared before the look: news that arrive during it set it again, and the next look sees them.
        self._stale = False
        asked_at = time.monotonic()
        mark = self.seen
        items = list(self.status.items) if self.status else await self._items()
        status = await stock.run_async(self._client, stock.status(self._sale, items))
        if status and status.seq != self._members_seq and self._may_refuse(status):
            for item in status.items:
                found = await stock.run_async(self._client, stock.members(self._sale, item))
                self._members[item] = frozenset((*found.holders, *found.owners, *found.standby))
            self._members_seq = status.seq
        if status:
            self.notice((status.epoch, status.seq), asked_at=mark)
        self.status, self._read_at = status, asked_at

    async def _items(self) -> Sequence[int]:
        return await stock.items_async(self._client, self._sale)

    @staticmethod
    def _may_refuse(status: Status) -> bool:
        sold_out = any(
            unit.free == 0 and unit.standby >= status.standby_size for unit in status.items.values()
        )
        return sold_out or status.phase != "open"
