"""A crowd over real HTTP: makes shoppers with passes and lets them loose on a gate, for demos and tests."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from flashsale.models import Sale
from flashsale.passes import Signer

CONNECTIONS = 64
ATTEMPT_SECONDS = 10.0
AGAIN = ("lost", "paused")
A_WHILE = 1.0
"""Seconds after which one comes back who was not told when."""
INSERT_SHOPPERS = """
INSERT INTO accounts_user (email, password, first_name, last_name, is_staff, is_superuser, is_active,
                           date_joined, level, standing)
SELECT 'crowd-' || n || '@example.com', '!', '', '', false, false, true, now() - interval '1 year', 1, 'ok'
FROM generate_series(1, %s) AS n
ON CONFLICT (email) DO NOTHING
"""
SELECT_SHOPPERS = """
SELECT id FROM accounts_user WHERE email LIKE 'crowd-%%@example.com' ORDER BY id LIMIT %s
"""


@dataclass(slots=True)
class Outcome:
    """What one shopper of the crowd was told, answer by answer: HTTP status and JSON.

    `asked` says when he asked each time, in ms since 1970.
    """

    user: int
    asked: list[float] = field(default_factory=list)
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    @property
    def last(self) -> str:
        """The last outcome; `lost` if no answer came."""
        return str(self.answers[-1][1].get("outcome", "error")) if self.answers else "lost"


def make_shoppers(count: int) -> list[int]:
    """Make sure that `count` shoppers of the crowd exist; return their ids. They cannot log in."""
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(INSERT_SHOPPERS, [count])
        cursor.execute(SELECT_SHOPPERS, [count])
        return [row[0] for row in cursor.fetchall()]


def issue_passes(sale: Sale, users: Sequence[int]) -> Iterator[str]:
    """Yield a pass for each user, good for a day."""
    signer, expires_at = Signer(settings.PASS_KEYS), int(time.time()) + 86_400
    for user in users:
        yield signer.issue(sale=sale.pk, user=user, expires_at=expires_at)


async def storm(  # noqa: PLR0913 - a crowd has many measures
    *,
    gate: str,
    path: str,
    passes: dict[int, str],
    tries: int,
    seconds: float,
    tell: Callable[[int], None],
    swell: float = 1.0,
    connections: int = CONNECTIONS,
    patience: int = 0,
) -> list[Outcome]:
    """Let every shopper attempt `tries` times, arriving at random within `seconds`.

    They arrive evenly; with a `swell` above 1 few come at first and most at the end. Whoever is told to
    wait in line comes back for his turn, as a page does; so often as `patience` says he comes back, too,
    where a pause or a gate that is away has cost him the answer. `tell` hears how many are done.
    """
    lines: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
    for _ in range(min(connections, len(passes))):
        lines.put_nowait(Line(gate))
    outcomes = {user: Outcome(user) for user in passes}
    done = 0

    async def attempt(outcome: Outcome) -> None:
        line = await lines.get()
        outcome.asked.append(time.time() * 1000)
        outcome.answers.append(await line.attempt(path, passes[outcome.user]))
        lines.put_nowait(line)

    async def shop(outcome: Outcome) -> None:
        nonlocal done
        await asyncio.sleep(seconds * random.random() ** (1 / swell))  # noqa: S311 - a crowd, not a secret
        for _ in range(tries):
            await attempt(outcome)
        left = patience
        while outcome.last == "queued" or (left and outcome.last in AGAIN):
            left -= outcome.last != "queued"
            await asyncio.sleep(_until_turn(outcome.answers[-1][1]))
            await attempt(outcome)
        done += 1
        tell(done)

    await asyncio.gather(*map(shop, outcomes.values()))
    while not lines.empty():
        lines.get_nowait().close()
    return list(outcomes.values())


def _until_turn(told: dict[str, Any]) -> float:
    """Seconds until it is worth coming back: a little before the turn, for which the gate lets one wait."""
    if not told.get("turn_at"):
        return float(told.get("retry_after", A_WHILE))
    early = random.uniform(0.4, 0.9)  # noqa: S311
    return float(max(0.0, (told["turn_at"] - told["now"]) / 1000 - early))


def count(outcomes: Sequence[Outcome]) -> Counter[str]:
    """Count the last outcomes."""
    return Counter(outcome.last for outcome in outcomes)


class Line:
    """One kept-alive connection to a gate."""

    def __init__(self, gate: str) -> None:
        self._address = urlsplit(gate)
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def attempt(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        """Send one attempt; status 0 and outcome `lost` if the connection broke or the time ran out."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return await self._send(path, token)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            self.close()
            return 0, {"outcome": "lost"}

    async def look(self, path: str) -> int:
        """Fetch a page and return its status; 0 if the connection broke or the time ran out."""
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                return (await self._exchange(f"GET {path} HTTP/1.1\r\n"))[0]
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            self.close()
            return 0

    async def _send(self, path: str, token: str) -> tuple[int, dict[str, Any]]:
        head = f"POST {path} HTTP/1.1\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n"
        status, body = await self._exchange(head)
        return status, json.loads(body)

    async def _exchange(self, head: str) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._address.hostname, self._address.port)
        reader, writer = self._streams
        writer.write(f"{head}Host: {self._address.netloc}\r\n\r\n".encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in answer[1:])}
        if "content-length" not in headers:
            self.close()  # a page of unknown length: its head is enough, and the connection is not
            return int(answer[0].split()[1]), b""
        body = await reader.readexactly(int(headers["content-length"]))
        return int(answer[0].split()[1]), body

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
