"""The live process: a raw ASGI application that tells each shopper what happens, and decides nothing.

GET /gate/sales/<sale>/events                a stream of events, for whoever has a pass (see docs/live.md)
GET /gate/sales/<sale>/events?figures=<language>   its figures, for an operator who has a pass to watch
GET /gate/live/healthz, /gate/live/metrics   for operators (metrics to the local network only)
"""

import asyncio
import random
import re
import time
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

from django.conf import settings

from flashsale import results, stock
from flashsale.gate.answers import Reply
from flashsale.gate.requests import Hosts, found_pass, is_local, is_not_foreign
from flashsale.gate.responses import (
    NO_STORE,
    NO_SUCH_SALE,
    NOTHING_HERE,
    OTHER_METHOD,
    STRANGE_HOST,
    Send,
    respond,
)
from flashsale.live import events, news
from flashsale.live.listener import BEATS, Listener
from flashsale.live.metrics import ROLE, Metrics
from flashsale.live.room import Room
from flashsale.live.watch import LIFE, Watch
from flashsale.passes import ATTEMPT, WATCH, PassError, Signer
from shop import processes, store

Receive = Callable[[], Any]
EVENTS = re.compile(r"/gate/sales/([0-9]{1,15})/events")
FIGURES = re.compile(rb"figures=([a-z-]{2,12})")
METHODS = ("GET",)
NO_PASS: Reply = (403, b'{"outcome": "refused"}', 0)
STORE_AWAY: Reply = (503, b'{"outcome": "paused", "retry_after": 2}', 2)
AWAY_SECONDS = (20, 40)
START = {
    "type": "http.response.start",
    "status": 200,
    # The last one asks nginx, wherever it stands, to pass on each event at once.
    "headers": [(b"content-type", b"text/event-stream"), NO_STORE, (b"x-accel-buffering", b"no")],
}


class Arrival(NamedTuple):
    """Somebody who may listen, and where."""

    sale: int
    user: int
    room: Room


class Watcher(NamedTuple):
    """An operator who may watch, and what."""

    user: int
    key: bytes


class Live:
    """One live process: one client of the store, one subscription to all news, a room for each sale heard."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self._client = store.connect_async(settings.REDIS_URL)
        self._signer = Signer(settings.PASS_KEYS)
        self._hosts = Hosts(settings.ALLOWED_HOSTS)
        self._cookies = {
            ATTEMPT: f"{settings.PASS_COOKIE}=".encode(),
            WATCH: f"{settings.WATCH_COOKIE}=".encode(),
        }
        self._at_most = settings.LIVE_MAX_CONNECTIONS
        self._rooms: dict[int, Room] = {}
        self._watch = Watch()
        self._numbers = count()
        self._ending: set[asyncio.Task[None]] = set()
        channels = {stock.NEWS.encode(): self._news, stock.RESULTS.encode(): self._results}
        channels[stock.LOOKS.encode()] = self._looks
        self._tasks = [
            asyncio.create_task(news.hear(self._client, channels, anew=self._tell_all_anew)),
            asyncio.create_task(self._keep_alive()),
            asyncio.create_task(self._tell_operators()),
        ]

    # What is heard

    def _news(self, message: bytes) -> None:
        room = self._rooms.get(int(message))
        if room is not None:
            room.news()

    def _results(self, message: bytes) -> None:
        for result in results.read(message):
            room = self._rooms.get(result.sale)
            if room is not None:
                room.tell(result)

    def _looks(self, message: bytes) -> None:
        self.metrics.events["figures"] += self._watch.tell(message)

    def _tell_all_anew(self) -> None:
        for room in self._rooms.values():
            room.tell_all_anew()

    async def _keep_alive(self) -> None:
        """Send heartbeats, to a part of the listeners every second, and drop who does not read."""
        for second in count():
            await asyncio.sleep(1)
            beat, now = second % BEATS, time.monotonic()
            for listener in (
                *self._watch,
                *(one for room in self._rooms.values() for one in room.listeners()),
            ):
                if listener.is_stuck(now):
                    self.metrics.dropped["slow"] += 1
                    listener.drop()
                elif listener.beat == beat:
                    listener.push("beat", events.HEARTBEAT)

    async def _tell_operators(self) -> None:
        """Say how many streams are open here; not among the heartbeats, which must not wait for the cache."""
        client = store.connect_async(settings.CACHE_URL)
        while True:
            await processes.tell_async(client, ROLE, [self.metrics.connections, self._at_most])
            await asyncio.sleep(processes.EVERY)

    # Who arrives

    async def arrive(self, scope: dict[str, Any]) -> Arrival | Watcher | Reply:
        """Answer a request, or let somebody in, who is then counted until `listen` ends."""
        headers, asked = dict(scope["headers"]), EVENTS.fullmatch(scope["path"])
        if not self._hosts.knows(headers.get(b"host", b"")):
            return STRANGE_HOST
        if asked is None:
            return self._plain(scope)
        if scope["method"] not in METHODS:
            return OTHER_METHOD
        figures = FIGURES.fullmatch(scope["query_string"])
        user = self._user(int(asked[1]), headers, purpose=WATCH if figures else ATTEMPT)
        if user is None:
            return NO_PASS
        if self.metrics.connections >= self._at_most:
            retry = random.randint(*AWAY_SECONDS)  # noqa: S311 - so that they do not come together again
            return 503, b'{"outcome": "full", "retry_after": %d}' % retry, retry
        if figures is None:
            return await self._enter(int(asked[1]), user)
        self.metrics.connections += 1
        return Watcher(user, b"%d %b" % (int(asked[1]), figures[1]))

    def _plain(self, scope: dict[str, Any]) -> Reply:
        if scope["path"] == "/gate/live/healthz":
            return 200, b'{"live": "ok"}', 0
        if scope["path"] == "/gate/live/metrics" and is_local(scope):
            return 200, self.metrics.text().encode(), 0
        return NOTHING_HERE

    def _user(self, sale: int, headers: dict[bytes, bytes], *, purpose: bytes) -> int | None:
        token = found_pass(headers, self._cookies[purpose], is_ours=is_not_foreign)
        if token is None:
            return None
        try:
            return self._signer.verify(token, sale=sale, now=time.time(), purpose=purpose)
        except PassError:
            return None

    async def _enter(self, sale: int, user: int) -> Arrival | Reply:
        room = self._rooms.get(sale)
        if room is None:
            room = self._rooms[sale] = Room(self._client, sale, self.metrics)
        self.metrics.connections += 1
        room.arriving += 1
        answer: Reply = STORE_AWAY
        try:
            if await room.ready():
                return Arrival(sale, user, room)
            answer = NO_SUCH_SALE
        except ConnectionError:
            pass
        except asyncio.CancelledError:
            self._leave(sale, room)
            raise
        self._leave(sale, room)
        return answer

    def _leave(self, sale: int, room: Room) -> None:
        room.arriving -= 1
        self.metrics.connections -= 1
        if room.is_empty() and self._rooms.get(sale) is room:
            self._rooms.pop(sale).close()

    # Who listens

    async def listen(self, arrival: Arrival, receive: Receive, send: Send) -> None:
        """Serve a stream until the reader goes, is dropped, or the process stops."""
        sale, user, room = arrival
        listener = Listener(user, send, next(self._numbers))
        try:
            await send(START)
            # In one step with the greeting, so that whatever changes after it is told to him too.
            self._give_way(room.join(listener))
            listener.push("hello", room.greeting())
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            await listener.stop()  # the process ends: the page comes back to another one
        finally:
            room.leave(listener)
            self._leave(sale, room)

    async def watch(self, watcher: Watcher, receive: Receive, send: Send) -> None:
        """Serve an operator's stream for a minute: then he shows a newer pass, or hears nothing more."""
        listener = Listener(watcher.user, send, next(self._numbers))
        try:
            await send(START)
            self._watch.join(watcher.key, listener)
            async with asyncio.timeout(LIFE):
                while (await receive())["type"] != "http.disconnect":
                    pass
        except (TimeoutError, asyncio.CancelledError):
            await listener.stop()
        finally:
            self._watch.leave(watcher.key, listener)
            self.metrics.connections -= 1

    def _give_way(self, oldest: Listener | None) -> None:
        if oldest is not None:
            self.metrics.dropped["newer"] += 1
            task = asyncio.create_task(oldest.end(events.STAY_AWAY))
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


_live: Live | None = None


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Serve one request; the process's state is made with the first one, inside the running loop."""
    global _live  # noqa: PLW0603 one a process, and it needs the loop
    if scope["type"] != "http":
        return
    if _live is None:
        _live = Live()
    arrival = await _live.arrive(scope)
    if isinstance(arrival, Arrival):
        await _live.listen(arrival, receive, send)
        return
    if isinstance(arrival, Watcher):
        await _live.watch(arrival, receive, send)
        return
    _live.metrics.refused[arrival[0]] += arrival[0] >= 400
    await respond(send, arrival, method=scope["method"], allow=METHODS)
