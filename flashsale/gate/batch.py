"""Group commit: one call in flight per sale; whatever arrived meanwhile is the next batch."""

import asyncio
import heapq
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Generic, TypeVar

from redis.exceptions import RedisError

from flashsale.gate.metrics import Metrics
from flashsale.replies import PAUSED, Answer, Decided

logger = logging.getLogger(__name__)
Decide = Callable[[Sequence[tuple[int, int]]], Awaitable[Decided]]
HOLD_MS = 1000
DRIFT, CREDIBLE = 0.00001, 0.1
"""Seconds: how far two clocks may part between two batches, and how late a reply may come at most."""
Told = TypeVar("Told")
Tell = Callable[[int, Answer, int, float], Told]
"""Puts an answer for its shopper: user, answer, the store's time (ms), since when he has waited (s)."""
Waiter = tuple[int, int, asyncio.Future[Told], float]
Held = tuple[int, int, float, Waiter[Told]]
"""Turn (ms by the store's clock), number, when to come back at the earliest (s by the loop's clock), who."""


class Batcher(Generic[Told]):
    """The attempts of one sale, decided in the order of their arrival.

    The batches belong to one task of their own: a shopper who goes away cancels his future, never the
    batch in which he stands, and nobody else's answer can move to his place.

    An attempt whose turn in line is at most a second away is held and decided at its turn, so that neither
    a slow line nor a slow timer costs the shopper his place among those who are served with him. They come
    back in the order of their turns, whatever was known of the store's clock when each of them was told.
    """

    def __init__(
        self,
        decide: Decide,
        tell: Tell[Told],
        *,
        size: int,
        timeout: float,
        hold_at_most: int,
        metrics: Metrics,
    ) -> None:
        self._decide = decide
        self._tell = tell
        self._size = size
        self._timeout = timeout
        self._hold_at_most = hold_at_most
        self._held: list[Held[Told]] = []
        self._numbers = count()
        self._timer: asyncio.TimerHandle | None = None
        self._offset = float("inf")
        self._metrics = metrics
        self._waiting: deque[Waiter[Told]] = deque()
        self._task: asyncio.Task[None] | None = None

    def attempt(self, item: int, user: int) -> "asyncio.Future[Told]":
        """Join the next batch; the future gives the answer as it is told."""
        future: asyncio.Future[Told] = asyncio.get_running_loop().create_future()
        self._join(item, user, future)
        return future

    def _join(self, item: int, user: int, future: "asyncio.Future[Told]") -> None:
        self._waiting.append((item, user, future, time.monotonic()))
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    def _is_held(self, waiter: Waiter[Told], answer: Answer, now: int) -> bool:
        """Hold one who waits in line until his turn, if that is near and not too many are held."""
        wait = answer.at - now
        if waiter[2].done() or not 0 < wait <= HOLD_MS or len(self._held) >= self._hold_at_most:
            return False
        earliest = asyncio.get_running_loop().time() + wait / 1000 - CREDIBLE
        heapq.heappush(self._held, (answer.at, next(self._numbers), earliest, waiter))
        return True

    def _follow_clock(self, now: int) -> None:
        """Learn where the store's clock stands on this loop's: the reply that came quickest knows best."""
        self._offset = min(asyncio.get_running_loop().time() - now / 1000, self._offset + DRIFT)

    def _due(self) -> float:
        """When the first of those who are held comes back (s by the loop's clock)."""
        turn, _, earliest, _ = self._held[0]
        return max(turn / 1000 + self._offset, earliest)

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(self._due(), self._come_back) if self._held else None

    def _come_back(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._held and self._due() <= now:
            self._join_again(heapq.heappop(self._held))
        self._set_timer()

    def _join_again(self, held: Held[Told]) -> None:
        item, user, future, _ = held[3]
        if not future.done():
            self._join(item, user, future)

    def ask_again(self) -> None:
        """The schedule has changed: whoever is held may have another turn now."""
        held, self._held = sorted(self._held), []
        for one in held:
            self._join_again(one)
        self._set_timer()

    async def _run(self) -> None:
        try:
            while self._waiting:
                self._drop_late()
                size = min(self._size, len(self._waiting))
                if size:
                    await self._commit([self._waiting.popleft() for _ in range(size)])
        finally:
            self._task = None

    def _drop_late(self) -> None:
        """Answer `paused` to whoever has waited too long already; the oldest stand first.

        Behind a slow store each batch would else be decided for shoppers who wait no more, and those who
        still do would be late in their turn.
        """
        oldest = time.monotonic() - self._timeout
        while self._waiting and self._waiting[0][3] < oldest:
            self._answer(self._waiting.popleft(), PAUSED, int(time.time() * 1000))

    async def _commit(self, batch: list[Waiter[Told]]) -> None:
        """Decide one batch and answer everybody in it; a silent store answers `paused`, never an error."""
        started = time.monotonic()
        attempts = [(item, user) for item, user, _, _ in batch]
        try:
            decided = await self._decide_or_retry(attempts, until=batch[0][3] + self._timeout)
        except (RedisError, OSError, TimeoutError) as error:
            logger.warning("The store did not decide a batch of %d: %s", len(batch), type(error).__name__)
            answers, now = [PAUSED] * len(batch), int(time.time() * 1000)
        else:
            answers, now = decided.answers, decided.now
            self._follow_clock(now)
        self._metrics.batch(len(batch), time.monotonic() - started)
        for waiter, answer in zip(batch, answers, strict=True):
            if answer.outcome != "queued" or not self._is_held(waiter, answer, now):
                self._answer(waiter, answer, now)
        self._set_timer()

    def _answer(self, waiter: Waiter[Told], answer: Answer, now: int) -> None:
        _, user, future, since = waiter
        if not future.done():
            future.set_result(self._tell(user, answer, now, since))

    async def _decide_or_retry(self, attempts: Sequence[tuple[int, int]], *, until: float) -> Decided:
        """Decide; send the same batch once more if the time allows.

        The first call may have been carried out and only its reply lost. The second one is safe: whoever
        got a unit in the first is told the same reservation again.
        """
        try:
            return await self._decide(attempts)
        except (RedisError, OSError, TimeoutError):
            if time.monotonic() >= until:
                raise
            await asyncio.sleep(0.05)
            return await self._decide(attempts)
