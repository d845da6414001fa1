"""One sale in a live process: who listens, and what they are told.

Whoever joins hears the whole present state and everything he has. He is listed before that is read, so
that news that comes in between is told beside it: a stream that broke misses nothing, whatever it has heard.
"""

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence

import redis.asyncio
from redis.exceptions import RedisError

from flashsale import stock
from flashsale.gate.answers import status_document
from flashsale.live import events
from flashsale.live.listener import Listener
from flashsale.live.metrics import Metrics
from flashsale.live.standby import Standby
from flashsale.replies import Own, Status
from flashsale.results import Result

logger = logging.getLogger(__name__)
AWAY = (RedisError, OSError, TimeoutError)
COALESCE = 0.5
LOOK_EVERY = 5.0
SLICE = 250
OWN_AT_ONCE = 256
OWN_PAUSE = 0.05
PER_SHOPPER = 4


class Room:
    """The listeners of one sale. `status` is None until the store has told of it."""

    def __init__(self, client: "redis.asyncio.Redis", sale: int, metrics: Metrics) -> None:
        self.arriving = 0
        self.status: Status | None = None
        self.is_away = False
        self._client, self._sale, self._metrics = client, sale, metrics
        self._listeners: dict[int, tuple[Listener, ...]] = {}
        self._read_at = 0.0
        self._looked, self._news, self._asked = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._wanting: dict[int, None] = {}
        self._standby = Standby(client, sale)
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._tell_own())]

    async def ready(self) -> bool:
        """Wait for the first look; False for an unknown sale. Raises ConnectionError: the store is silent."""
        await self._looked.wait()
        if self.status is None and self.is_away:
            raise ConnectionError
        return self.status is not None

    def close(self) -> None:
        """Stop watching."""
        for task in self._tasks:
            task.cancel()

    # Listeners

    def is_empty(self) -> bool:
        """Whether nobody listens and nobody is about to."""
        return not self._listeners and not self.arriving

    def listeners(self) -> list[Listener]:
        """Everybody who listens now."""
        return [one for some in self._listeners.values() for one in some]

    def greeting(self) -> bytes:
        """The beginning of a stream: clock and state."""
        now = self.now()
        return events.hello(now) + self._state(now)

    def join(self, listener: Listener) -> Listener | None:
        """Add a listener; return the oldest one of a shopper who has too many."""
        known = (*self._listeners.get(listener.user, ()), listener)
        self._listeners[listener.user] = known[-PER_SHOPPER:]
        self._ask([listener.user])
        return known[0] if len(known) > PER_SHOPPER else None

    def leave(self, listener: Listener) -> None:
        """Forget a listener."""
        left = tuple(one for one in self._listeners.get(listener.user, ()) if one is not listener)
        if left:
            self._listeners[listener.user] = left
        elif self._listeners.pop(listener.user, None) is not None:
            self._standby.forget(listener.user)

    # News

    def news(self) -> None:
        """The store has news of this sale."""
        self._news.set()

    def tell(self, result: Result) -> None:
        """Push personal news to whom it concerns, if he listens here, and then all he has."""
        for listener in self._listeners.get(result.user, ()):
            listener.push((result.kind, result.item), events.result(result))
            self._metrics.events["result"] += 1
            self._ask([result.user])

    def tell_all_anew(self) -> None:
        """News may have been lost: tell everybody the state and what he has, a slice after the other."""
        self._standby.forget_all()
        self._read_at = 0.0
        self._news.set()
        self._ask(self._listeners)

    def now(self) -> int:
        """The store's time as estimated from the last look at it (ms)."""
        if self.status is None:
            return int(time.time() * 1000)
        return self.status.now + int((time.monotonic() - self._read_at) * 1000)

    # The state

    async def _watch(self) -> None:
        """Look at the sale when there is news, when it opens or ends, and now and then; tell what changed."""
        told: object = None
        while True:
            self._news.clear()
            started = time.monotonic()
            seen = await self._look()
            if seen is not None and seen != told:
                await self._broadcast()
                told = seen
            # A broadcast to very many may not take more than a fourth of the time.
            pause = max(COALESCE, 3 * (time.monotonic() - started))
            await asyncio.sleep(min(pause, self._until_turn()))
            try:
                await asyncio.wait_for(self._news.wait(), min(LOOK_EVERY, self._until_turn()))
            except TimeoutError:
                continue

    async def _look(self) -> object:
        """Read the sale; return what of it is worth telling, None where there is nothing new to know."""
        try:
            asked_at = time.monotonic()
            items = (
                list(self.status.items) if self.status else await stock.items_async(self._client, self._sale)
            )
            status = await stock.run_async(self._client, stock.status(self._sale, items))
            if status is not None:
                self.status, self._read_at = status, asked_at
                await self._tell_standby(status)
            self.is_away = False
        except AWAY as error:
            self.is_away = True
            logger.warning("The store did not tell of sale %s: %s", self._sale, type(error).__name__)
            return None
        finally:
            self._looked.set()
        times = status and (status.opens_at, status.closes_at)
        return status and (status.phase, times, status.notice, status.queue, dict(status.items))

    def _until_turn(self) -> float:
        """Seconds until the sale opens or ends, whichever comes next; not less than a hundredth."""
        if self.status is None:
            return LOOK_EVERY
        now = self.now()
        ahead = [at - now for at in (self.status.opens_at, self.status.closes_at) if at >= now]
        return max(0.01, (min(ahead) + 2) / 1000) if ahead else LOOK_EVERY

    def _state(self, now: int) -> bytes:
        assert self.status is not None  # noqa: S101 - nobody joins or is told before the first look
        return events.state(status_document(self._sale, self.status, now), self.status)

    async def _broadcast(self) -> None:
        started = time.monotonic()
        everybody, data = self.listeners(), self._state(self.now())
        for first in range(0, len(everybody), SLICE):
            for listener in everybody[first : first + SLICE]:
                listener.push("state", data)
            await asyncio.sleep(0)
        self._metrics.events["state"] += len(everybody)
        self._metrics.broadcast(time.monotonic() - started)

    async def _tell_standby(self, status: Status) -> None:
        for item in status.items:
            for user, place in await self._standby.moved(item, among=self._listeners):
                self.tell(Result(self._sale, user, "moved", item, number=place))

    # What each has

    def _ask(self, users: Iterable[int]) -> None:
        self._wanting.update(dict.fromkeys(users))
        self._asked.set()

    async def _tell_own(self) -> None:
        """Read what shoppers have, many in one call, for ever; a silent store is asked again."""
        while True:
            await self._asked.wait()
            await self._looked.wait()
            users = list(self._wanting)[:OWN_AT_ONCE]
            for user in users:
                del self._wanting[user]
            if not self._wanting:
                self._asked.clear()
            try:
                await self._read_own([user for user in users if user in self._listeners])
            except AWAY:
                self._ask(users)
                await asyncio.sleep(1)
            await asyncio.sleep(OWN_PAUSE)

    async def _read_own(self, users: Sequence[int]) -> None:
        if not users or self.status is None:
            return
        items = list(self.status.items)
        found = await stock.run_async(self._client, stock.own(self._sale, items, users))
        for user, one in zip(users, found, strict=True):
            self._push_own(user, one, items)

    def _push_own(self, user: int, found: Own, items: Sequence[int]) -> None:
        data = events.own(found, items, self.now())
        for listener in self._listeners.get(user, ()):
            listener.push("own", data)
            self._metrics.events["own"] += 1
            self._standby.told(user, found)
