"""An open loop: arrivals at random at a fixed mean rate, whether or not earlier ones were answered.

python -m bench.openloop ADDRESS PATH COOKIE RATE FILES...: sends each pass once and prints one JSON object.
Latency counts from the instant at which an arrival was due, so that a server (or this driver) that falls
behind is charged for it.
"""

import asyncio
import contextlib
import json
import random
import re
import sys
import time
from collections import Counter, deque
from pathlib import Path

import uvloop

CONNECTIONS = 512
LAST_ANSWER_SECONDS = 30.0
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
OUTCOME = re.compile(rb'^\{"outcome": ?"(\w+)"')
POINTS = (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9, 99.99)


class Line(asyncio.Protocol):
    """One connection with at most one attempt under way."""

    def __init__(self, crowd: "Crowd") -> None:
        self._crowd = crowd
        self._got = b""
        self._due = 0.0
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Be ready."""
        self.transport = transport  # type: ignore[assignment]

    def send(self, request: bytes, due: float) -> None:
        """Send one attempt that was due at `due` (s, monotonic)."""
        self._due = due
        if self.transport is not None:
            self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Collect the answer; a whole one goes to the crowd."""
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        length = LENGTH.search(head) if end else None
        if length and len(body) >= int(length[1]):
            self._got = b""
            outcome = OUTCOME.match(body)
            self._crowd.answered(self, outcome[1].decode() if outcome else "none", self._due)


class Crowd:
    """All arrivals, the free connections, and what was answered."""

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._free: deque[Line] = deque()
        self._waiting: deque[tuple[bytes, float]] = deque()
        self._is_last_due = False
        self._all_answered = asyncio.Event()
        self.latencies: list[float] = []
        self.late: list[float] = []
        self.outcomes: Counter[str] = Counter()

    async def connect(self, host: str, port: int) -> None:
        """Open the connections."""
        loop = asyncio.get_running_loop()
        for _ in range(CONNECTIONS):
            _, line = await loop.create_connection(lambda: Line(self), host, port)
            self._free.append(line)

    async def arrive(self, requests: list[bytes]) -> None:
        """Let them all arrive, then wait for the last answer."""
        due = time.monotonic()
        for request in requests:
            due += random.expovariate(self._rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.late.append(max(0.0, time.monotonic() - due))
            self._waiting.append((request, due))
            self._dispatch()
        self._is_last_due = True
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all_answered.wait(), LAST_ANSWER_SECONDS)

    def answered(self, line: Line, outcome: str, due: float) -> None:
        """Count an answer; its connection serves whoever waits."""
        self.latencies.append(time.monotonic() - due)
        self.outcomes[outcome] += 1
        self._free.append(line)
        self._dispatch()
        if self._is_last_due and len(self._free) == CONNECTIONS:
            self._all_answered.set()

    def _dispatch(self) -> None:
        while self._free and self._waiting:
            self._free.popleft().send(*self._waiting.popleft())


def percentile(values: list[float], point: float) -> float:
    """Return the value below which `point` per cent lie, in ms."""
    return values[min(len(values) - 1, int(len(values) * point / 100))] * 1000 if values else 0.0


async def run(address: str, rate: float, requests: list[bytes]) -> dict[str, object]:
    """Let the crowd arrive and describe what it was told."""
    crowd, (host, _, port) = Crowd(rate), address.partition(":")
    await crowd.connect(host, int(port))
    started, cpu = time.monotonic(), time.process_time()
    await crowd.arrive(requests)
    seconds = time.monotonic() - started
    values, late = sorted(crowd.latencies), sorted(crowd.late)
    named = {f"p{point}": percentile(values, point) for point in (50, 95, 99)}
    return {
        "outcomes": crowd.outcomes,
        "percentiles": named | {"max": percentile(values, 100)},
        "points": {point: percentile(values, point) for point in POINTS},
        "rps": len(values) / seconds,
        "late_p99_ms": percentile(late, 99),
        "share": (time.process_time() - cpu) / seconds,
    }


def main() -> None:
    """Read the passes, drive, print."""
    address, path, cookie, rate, *files = sys.argv[1:]
    head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n"
    passes = [text for name in files for text in Path(name).read_text().split()]
    requests = [f"{head}Cookie: {cookie}={text}\r\n\r\n".encode() for text in passes]
    print(json.dumps(uvloop.run(run(address, float(rate), requests))))


if __name__ == "__main__":
    main()
