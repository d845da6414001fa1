"""What the gate remembers of each sale, so that refusals cost the store nothing.

Kept true by the store's news (publish/subscribe) and by a short time to live; whoever holds a unit or a
standby place is always asked for in the store, however sold out the sale is.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

import redis.asyncio
from redis.exceptions import RedisError

from flashsale import stock
from flashsale.queue import Segment
from flashsale.replies import PAUSED, Answer, Status

logger = logging.getLogger(__name__)
FRESH = 1.0
RENEW = 0.5
MARGIN_MS = 1000
Mark = tuple[int, int]
Refusal = tuple[Answer, frozenset[int]]
"""What everybody is told, but for some whom the store must be asked about: they hold something."""
NOBODY: frozenset[int] = frozenset()


class SaleMemory:
    """One sale as the gate saw it last, and what can be said of it until the next look."""

    def __init__(
        self, client: "redis.asyncio.Redis", sale: int, *, paced: Callable[[], None] = lambda: None
    ) -> None:
        """`paced` is called when the schedule of the sale's queue was found to have changed."""
        self._client = client
        self._paced = paced
        self._sale = sale
        self._refreshing: asyncio.Task[None] | None = None
        self._read_at = self._good_until = 0.0
        self._refusals: dict[int, Refusal] = {}
        self._members: dict[int, frozenset[int]] = {}
        self._members_seq = -1
        self._newest_look = 0
        self.seen: Mark = (0, 0)
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

    def refusal(self, item: int) -> Refusal | None:
        """What an attempt can be told without the store; None means the store must decide."""
        now = time.monotonic()
        if now > self._read_at + RENEW:
            self.renew()
        if self.went_backwards:
            return PAUSED, NOBODY
        return None if now > self._good_until else self._refusals.get(item)

    def short_answer(self, item: int, user: int) -> Answer | None:
        """Answer this shopper without the store where that is certain."""
        refusal = self.refusal(item)
        return None if refusal is None or user in refusal[1] else refusal[0]

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
        self._good_until = 0.0
        self._newest_look += 1
        self.renew()

    def renew(self) -> "asyncio.Task[None]":
        """Look at the store in the background, one look at a time whoever asks; the task never raises."""
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())
        return self._refreshing

    async def _refresh(self) -> None:
        number = self._newest_look
        try:
            await self.look()
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("The store did not tell of sale %s: %s", self._sale, type(error).__name__)
        finally:
            self._refreshing = None
        if number != self._newest_look:
            self.renew()

    async def look(self) -> None:
        """Read the sale and, where attempts can be refused, who must not be refused."""
        asked_at, mark, number = time.monotonic(), self.seen, self._newest_look
        items = list(self.status.items) if self.status else await stock.items_async(self._client, self._sale)
        status = await stock.run_async(self._client, stock.status(self._sale, items))
        answers = _refusals(status) if status else {}
        if status and answers and status.seq != self._members_seq:
            await self._read_members(status)
        if status:
            self.notice((status.epoch, status.seq), asked_at=mark)
        is_paced = _schedule(status) != _schedule(self.status)
        self.status, self._read_at = status, asked_at
        self._refusals = {item: (answer, self._members[item]) for item, answer in answers.items()}
        # News that came during the look may be newer than what was read: then nothing is said from it.
        is_newest = number == self._newest_look
        self._good_until = asked_at + _certain_for(status) if status and is_newest else 0.0
        if is_paced:
            self._paced()

    async def _read_members(self, status: Status) -> None:
        for item in status.items:
            self._members[item] = await stock.run_async(self._client, stock.users(self._sale, item))
        self._members_seq = status.seq


def _schedule(status: Status | None) -> Sequence[Segment]:
    return status.queue.schedule if status and status.queue else ()


def _refusals(status: Status) -> dict[int, Answer]:
    """What everybody is told who holds nothing; an item that is not in it must be decided."""
    if status.phase == "open":
        return {item: Answer("sold_out") for item in status.items if status.is_gone(item)}
    if status.phase == "not_open":
        if status.queue and status.queue.lots_at_open:
            return {}  # whoever lines up now takes part in the draw
        return dict.fromkeys(status.items, Answer("not_open", at=status.opens_at))
    return dict.fromkeys(status.items, Answer(status.phase))


def _certain_for(status: Status) -> float:
    """Seconds for which a look is good: close to the opening and the end the store's own clock decides."""
    turn = status.opens_at if status.phase == "not_open" else status.closes_at
    if status.phase == "ended" or status.now > turn:
        return FRESH
    return min(FRESH, (turn - MARGIN_MS - status.now) / 1000)
