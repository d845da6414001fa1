"""A gate that is asked three times as much as it may hold: who waits, who is sent away, and what it costs."""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from bench import roles
from bench.chaos import http
from flashsale import scheduling, stock
from flashsale.models import SaleItem
from flashsale.passes import Signer
from flashsale.tests.conftest import MakeSale
from flashsale.tests.gates import running_gate
from shop import store as memory
from shop.up import valkey

BOUND, LOAD, WAVES = 100, 300, 20
GROWTH_KIB = 8192
"""How much more memory a gate may take for all that it sends away: 2 to 3 MiB are usual, and then no more."""
Told = tuple[int, str, str]
"""Status, outcome, and the reservation or after how many seconds to come again."""


class Crowd:
    """Shoppers with passes, numbered from 1, at one gate."""

    def __init__(self, gate: str, item: SaleItem) -> None:
        self._port = int(urlsplit(gate).port or 0)
        self._path = f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt"
        signer, until = Signer(settings.PASS_KEYS), int(time.time()) + 600
        self._passes = [
            signer.issue(sale=item.sale_id, user=user, expires_at=until) for user in range(LOAD + 1)
        ]

    async def attempt(self, user: int) -> Told:
        """Attempt once."""
        headers = {"Authorization": f"Bearer {self._passes[user]}"}
        answer = await http.ask(self._port, "POST", self._path, headers=headers, seconds=60)
        told = json.loads(answer.body)
        return answer.status, told["outcome"], told.get("reservation") or answer.headers["retry-after"]

    async def attempts(self, users: Iterable[int]) -> list[Told]:
        """Attempt all at once."""
        return await asyncio.gather(*map(self.attempt, users))


def memory_of(gate: str) -> int:
    """Memory (KiB) of the processes of a gate."""
    port = str(urlsplit(gate).port).encode()
    started = [pid for pid in roles.tree(os.getpid()) if port in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return roles.rss_kib(started[0])


async def load(url: str, document: dict[str, Any]) -> None:
    client = memory.connect_async(url)
    await stock.run_async(client, stock.load(document["id"], document))
    await client.aclose()


@pytest.mark.django_db(transaction=True)
def test_goodput_at_three_times_load(make_sale: MakeSale, tmp_path: Path) -> None:
    """As many as the bound wait for a store that hangs; the others are sent away at once and cost nothing.

    Then the store goes on: whoever waited has his unit, and so has whoever comes again. How many good
    answers a second that makes is measured by nobody here: timings fail no test.
    """
    item = make_sale(quantity=LOAD)
    process, url = valkey.start_sale(tmp_path, tmp_path)
    try:
        with running_gate(
            REDIS_URL=f"{url}?socket_timeout=60", GATE_MAX_IN_FLIGHT=str(BOUND), GATE_ATTEMPT_TIMEOUT="60"
        ) as gate:
            asyncio.run(load(url, scheduling.document(item.sale)))
            asyncio.run(overload(gate, item, process.pid()))
    finally:
        process.stop(2)


async def overload(gate: str, item: SaleItem, store: int) -> None:
    crowd = Crowd(gate, item)
    assert (await crowd.attempt(1))[:2] == (201, "reserved")
    os.kill(store, signal.SIGSTOP)
    try:
        tasks = {asyncio.create_task(crowd.attempt(user)): user for user in range(1, LOAD + 1)}
        waiting = set(tasks)
        while len(waiting) > BOUND:
            _, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        away = [user for task, user in tasks.items() if task not in waiting]
        before = memory_of(gate)
        told = [task.result() for task in tasks if task not in waiting]
        for _ in range(WAVES):
            told += await crowd.attempts(away)
        assert not any(task.done() for task in waiting)
        assert memory_of(gate) - before < GROWTH_KIB
    finally:
        os.kill(store, signal.SIGCONT)
    assert Counter(one[:2] for one in told) == {(503, "full"): (WAVES + 1) * (LOAD - BOUND)}
    assert {seconds for *_, seconds in told} <= {"1", "2"}
    await come_again(crowd, {user: await task for task, user in tasks.items() if task in waiting}, away)


async def come_again(crowd: Crowd, decided: dict[int, Told], away: list[int]) -> None:
    """Everybody gets one unit, and whoever has one hears of the same."""
    for start in range(0, len(away), BOUND):
        users = away[start : start + BOUND]
        decided |= dict(zip(users, await crowd.attempts(users), strict=True))
    assert {outcome for _, outcome, _ in decided.values()} == {"reserved"}
    assert len({rid for *_, rid in decided.values()}) == LOAD
    users = sorted(decided)[:BOUND]
    assert await crowd.attempts(users) == [(200, "reserved", decided[user][2]) for user in users]
