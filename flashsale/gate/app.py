"""The gate: a raw ASGI application that decides the burst. It knows the stock and the passes, nothing else.

POST /gate/sales/<sale>/items/<item>/attempt   the attempt; no body is read
GET  /gate/sales/<sale>                        the public status document
GET  /gate/clock                               the server's clock
GET  /gate/healthz, /gate/metrics              for operators (metrics to the local network only)
"""

import asyncio
import contextlib
import logging
import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import redis.asyncio
from django.conf import settings
from redis.exceptions import ConnectionError as StoreAway
from redis.exceptions import RedisError

from flashsale import stock
from flashsale.gate.answers import Reply, attempt_reply, status_document
from flashsale.gate.batch import Batcher
from flashsale.gate.flow import Flow
from flashsale.gate.memory import FRESH, SaleMemory
from flashsale.gate.metrics import Metrics
from flashsale.gate.requests import Hosts, found_pass, is_local, is_same_origin
from flashsale.gate.responses import (
    NO_STORE,
    NO_SUCH_SALE,
    NOTHING_HERE,
    ONE_SECOND,
    OTHER_METHOD,
    READY,
    STRANGE_HOST,
    Ready,
    Send,
    ready,
    respond,
)
from flashsale.passes import PassError, Signer
from flashsale.replies import PAUSED, Answer, Decided
from shop import store

logger = logging.getLogger(__name__)
ATTEMPT = re.compile(r"/gate/sales/([0-9]{1,15})/items/([0-9]{1,15})/attempt")
SALE = re.compile(r"/gate/sales/([0-9]{1,15})")
SALES_AT_MOST = ADDRESSES_AT_MOST = 1000
FULL = Answer("full", at=1000)
READS, WRITES = ("GET", "HEAD"), ("POST",)


class Sale:
    """One sale in this process: what is remembered of it and who waits to be decided."""

    def __init__(self, gate: "Gate", number: int) -> None:
        self.memory = SaleMemory(gate.client, number, paced=self._ask_again)
        self.batcher: Batcher[Reply] = Batcher(
            self._decide,
            self._tell,
            size=settings.GATE_BATCH_SIZE,
            timeout=settings.GATE_ATTEMPT_TIMEOUT,
            hold_at_most=settings.GATE_MAX_IN_FLIGHT // 2,
            metrics=gate.metrics,
        )
        self.flow = Flow(gate.client, number)
        self._metrics = gate.metrics
        self._client = gate.client
        self._signer = gate.signer
        self.number = number

    def _ask_again(self) -> None:
        self.batcher.ask_again()

    async def _decide(self, attempts: Any) -> Decided:
        call = stock.attempt(self.number, attempts, per_minute=settings.ATTEMPTS_PER_MINUTE)
        epoch, seq = self.memory.seen
        decided = await stock.run_async(self._client, call)
        # A decision is at least one further than what was known when it was asked for.
        self.memory.notice((decided.epoch, decided.seq), asked_at=(epoch, seq + 1))
        if self.memory.went_backwards:  # nobody is told what a store decided that has forgotten
            self._metrics.store_went_back()
            raise StoreAway("the store went back")
        return decided

    def _tell(self, user: int, answer: Answer, now: int, since: float) -> Reply:
        self.note(user, answer, seconds=time.monotonic() - since)
        return attempt_reply(answer, now=now, sale=self.number, user=user, signer=self._signer)

    def note(self, user: int, answer: Answer, *, seconds: float) -> None:
        """An attempt was answered after so many seconds."""
        self._metrics.attempt(answer.outcome, seconds)
        self.flow.note(answer.outcome, user)


class Clock:
    """The store's clock, read once a second; between two looks this process's own pace carries it on."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._client = client
        self._now, self._read_at = 0, float("-inf")

    async def now(self) -> int:
        """Return the store's time (ms); where the store is silent, the last known one carried on."""
        if time.monotonic() - self._read_at > 1.0:
            try:
                seconds, micro = await self._client.time()
                self._now, self._read_at = seconds * 1000 + micro // 1000, time.monotonic()
            except (RedisError, OSError, TimeoutError):
                if self._now == 0:
                    return int(time.time() * 1000)
        return self._now + int((time.monotonic() - self._read_at) * 1000)


class Gate:
    """One gate process: one client of the store, one subscription to its news, some sales."""

    def __init__(self) -> None:
        self.metrics = Metrics()
        self.client: redis.asyncio.Redis = store.connect_async(settings.REDIS_URL)
        self.clock = Clock(self.client)
        self.signer = Signer(settings.PASS_KEYS)
        self.hosts = Hosts(settings.ALLOWED_HOSTS)
        self._plain = {"/gate/clock": self.tell_time, "/gate/healthz": self.tell_health}
        self._cookie = settings.PASS_COOKIE.encode() + b"="
        self._addresses: dict[str, tuple[int, int]] = {}
        self._sales: OrderedDict[int, Sale] = OrderedDict()
        self._listener: asyncio.Task[None] | None = None
        self._in_flight_at_most = settings.GATE_MAX_IN_FLIGHT
        self._blocked: frozenset[int] = frozenset()
        self._preparing = asyncio.Lock()
        self._is_prepared = False

    def sale(self, number: int) -> Sale:
        """Return a sale's state; a bounded number of sales is kept, the longest unused is dropped."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())
        sale = self._sales.get(number)
        if sale is None:
            sale = self._sales[number] = Sale(self, number)
            if len(self._sales) > SALES_AT_MOST:
                self._sales.popitem(last=False)
        self._sales.move_to_end(number)
        return sale

    async def _listen(self) -> None:
        """Hear the store's news for ever; while deaf, what is remembered lives for a second only."""
        pause = 0.1
        while True:
            with contextlib.suppress(RedisError, OSError, TimeoutError):
                await self.client.initialize()  # a cluster's client learns of its servers
                async with self.client.pubsub() as subscription:
                    await subscription.subscribe(stock.NEWS)
                    self._blocked = await stock.blocked_async(self.client)
                    pause = 0.1
                    while True:
                        message = await subscription.get_message(ignore_subscribe_messages=True, timeout=5.0)
                        number = int(message["data"]) if message else stock.NO_SALE
                        if number == stock.NO_SALE:
                            self._blocked = await stock.blocked_async(self.client)
                        elif number in self._sales:
                            self._sales[number].memory.forget()
            await asyncio.sleep(pause)
            pause = min(2.0, pause * 2)

    async def attempt(self, sale_number: int, item: int, headers: dict[bytes, bytes]) -> Reply:
        """Answer one attempt."""
        now = time.time()
        token = found_pass(headers, self._cookie, is_ours=is_same_origin)
        if token is None:
            return self._refuse(now)
        try:
            user = self.signer.verify(token, sale=sale_number, now=now)
        except PassError:
            return self._refuse(now)
        sale = self.sale(sale_number)
        answer = sale.memory.short_answer(item, user)
        if answer is None and self.metrics.in_flight > self._in_flight_at_most:
            answer = FULL
        elif answer is None and not (self._is_prepared or await self._prepare()):
            answer = PAUSED
        if answer is None:
            return self._refuse(now) if user in self._blocked else await sale.batcher.attempt(item, user)
        sale.note(user, answer, seconds=time.time() - now)
        return attempt_reply(answer, now=sale.memory.now(), sale=sale_number, user=user, signer=self.signer)

    def at_once(
        self, scope: dict[str, Any], headers: dict[bytes, bytes]
    ) -> "Ready | asyncio.Future[Reply] | None":
        """Refuse an attempt from memory or put it into the next batch; None where there is more to find out.

        The way of the crowd, before a sell-out and after it: without coroutines, for these are most of what
        an attempt costs. A refusal is not even timed.
        """
        address = self._addresses.get(scope["path"])
        if address is None or scope["method"] != "POST" or not self.hosts.knows(headers.get(b"host", b"")):
            return None
        token = found_pass(headers, self._cookie, is_ours=is_same_origin)
        if token is None:
            return None
        number, item = address
        sale = self.sale(number)
        refusal, now = sale.memory.refusal(item), sale.memory.now()
        try:
            user = self.signer.verify(token, sale=number, now=now / 1000)
        except PassError:
            return None
        if refusal is None or user in refusal[1]:
            return sale.batcher.attempt(item, user) if self._may_ask(user) else None
        outcome = refusal[0].outcome
        ready = READY.get(outcome)
        if ready is None:
            return None
        self.metrics.outcomes[outcome] += 1
        sale.flow.note(outcome, user)
        return ready[0], ready[1] % now

    def _may_ask(self, user: int) -> bool:
        is_full = self.metrics.in_flight >= self._in_flight_at_most  # it is not counted yet
        return self._is_prepared and not is_full and user not in self._blocked

    async def _prepare(self) -> bool:
        """Learn who is blocked, and whether an answer would survive a power cut; True if one may sell."""
        async with self._preparing:  # a crowd waits for one question
            if self._is_prepared:
                return True
            try:
                self._blocked = await stock.blocked_async(self.client)
                fault = await stock.durability_fault(self.client) if settings.REQUIRE_DURABLE_STORE else ""
            except (RedisError, OSError, TimeoutError) as error:
                fault = str(error)
            if fault:
                logger.critical("Nothing is sold: %s. Set REQUIRE_DURABLE_STORE=0 if you mean it.", fault)
            self._is_prepared = not fault
            return not fault

    def _refuse(self, now: float) -> Reply:
        self.metrics.attempt("refused", time.time() - now)
        return attempt_reply(Answer("refused"), now=int(now * 1000), sale=0, user=0, signer=self.signer)

    async def status(self, sale_number: int) -> Reply:
        """Answer with the public status document; 404 for an unknown sale, 503 where the store is silent."""
        memory = self.sale(sale_number).memory
        if memory.status is None or memory.age() > FRESH:
            await asyncio.shield(memory.renew())  # one look for all who ask now; leaving cancels nobody's
        if memory.age() > FRESH:
            return 503, b'{"outcome": "paused", "retry_after": 2}', 2
        if memory.status is None:
            return NO_SUCH_SALE
        return 200, status_document(sale_number, memory.status, memory.now()), 0

    async def tell_time(self) -> Reply:
        """Answer with the store's clock (ms)."""
        return 200, b'{"now": %d}' % await self.clock.now(), 0

    async def tell_health(self) -> Reply:
        """Say that this process runs."""
        return 200, b'{"gate": "ok"}', 0

    async def tell_metrics(self) -> Reply:
        """Answer in Prometheus' text."""
        return 200, self.metrics.text().encode(), 0

    async def answer(self, scope: dict[str, Any], headers: dict[bytes, bytes]) -> Reply:
        """Find what is asked for and answer it."""
        if not self.hosts.knows(headers.get(b"host", b"")):
            return STRANGE_HOST
        path, method = scope["path"], scope["method"]
        address = self._addresses.get(path) or self._address(path)
        if address is not None:
            return await self.attempt(*address, headers) if method == "POST" else OTHER_METHOD
        read = self._reading(path, scope)
        if read is None:
            return NOTHING_HERE
        return await read() if method in READS else OTHER_METHOD

    def _address(self, path: str) -> tuple[int, int] | None:
        """Sale and item of an attempt's path; remembered, for a crowd asks for the same few."""
        found = ATTEMPT.fullmatch(path)
        if found is None:
            return None
        if len(self._addresses) >= ADDRESSES_AT_MOST:
            self._addresses.clear()
        address = self._addresses[path] = int(found[1]), int(found[2])
        return address

    def _reading(self, path: str, scope: dict[str, Any]) -> Callable[[], Awaitable[Reply]] | None:
        if found := SALE.fullmatch(path):
            return partial(self.status, int(found[1]))
        if path == "/gate/metrics" and is_local(scope):
            return self.tell_metrics
        return self._plain.get(path)


_gate: Gate | None = None


async def application(scope: dict[str, Any], _receive: Any, send: Send) -> None:
    """Serve one request; the process's gate is made with the first one, inside the running loop."""
    global _gate  # noqa: PLW0603 one gate a process, and it needs the loop
    if scope["type"] != "http":
        return
    if _gate is None:
        _gate = Gate()
    headers = dict(scope["headers"])
    found = _gate.at_once(scope, headers)
    if not isinstance(found, tuple):
        _gate.metrics.in_flight += 1
        try:
            reply = await (found or _gate.answer(scope, headers))
        finally:
            _gate.metrics.in_flight -= 1
        if found is None:
            await _respond(send, scope, reply)
            return
        found = ready(reply)
    await send(found[0])
    await send({"type": "http.response.body", "body": found[1]})


async def _respond(send: Send, scope: dict[str, Any], reply: Reply) -> None:
    method, path = scope["method"], scope["path"]
    is_cacheable = reply[0] == 200 and path.startswith("/gate/sales/") and method != "POST"
    await respond(
        send,
        reply,
        method=method,
        allow=WRITES if path.endswith("/attempt") else READS,
        caching=ONE_SECOND if is_cacheable else NO_STORE,
    )
