"""Many pages that listen to one sale's stream, in a process of their own.

python -m bench.listeners ADDRESS COOKIE PATH FILE: opens a stream for each pass of the file, from several
addresses of the loopback network, and prints `{"open": n, "greeted": n}` when each has been told what is its
own. Then it reads commands, one JSON object a line, and answers each with one:

`{"text": T, "seconds": s}` says `{"waits": T}` and waits until every open stream has received T, at most so
long; tells `at`, the instants at which they did (s since 1970), and how many streams are `open`.

`{"text": T, "seconds": s, "press": PATH, "gate": ADDRESS, "number": n, "over": s}`: the first n shoppers also
press, evenly over so many seconds; tells `took`, the seconds from each one's press to the text.
"""

import asyncio
import contextlib
import json
import sys
import time
from pathlib import Path
from typing import Any

import uvloop

AT_ONCE = 100
PER_ADDRESS = 5_000
GREETING = b"event: own"
OPEN_SECONDS = 120.0


class Crowd:
    """All streams of this process, and what they wait for."""

    def __init__(self) -> None:
        self.open = 0
        self.wanted = 0
        self.mark = GREETING
        self.at: dict[int, float] = {}
        self._all = asyncio.Event()

    def wait_for(self, text: bytes, number: int) -> None:
        """From now on every stream notes when it receives this text first; so many should."""
        self.mark, self.wanted, self.at, self._all = text, number, {}, asyncio.Event()

    def note(self, number: int) -> None:
        """A stream has received the text."""
        self.at[number] = time.time()
        if len(self.at) >= self.wanted:
            self._all.set()

    async def everybody(self, seconds: float) -> None:
        """Wait until as many as should have received it, at most so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._all.wait(), seconds)


class Page(asyncio.Protocol):
    """One stream; it keeps nothing of what it receives but the last few bytes."""

    __slots__ = ("_crowd", "_end", "_number")

    def __init__(self, crowd: Crowd, number: int) -> None:
        self._crowd, self._number, self._end = crowd, number, b""

    def connection_made(self, _transport: asyncio.BaseTransport) -> None:
        """Count it."""
        self._crowd.open += 1

    def data_received(self, data: bytes) -> None:
        """Note the time if this is what all wait for."""
        crowd = self._crowd
        if self._number not in crowd.at and crowd.mark in self._end + data:
            crowd.note(self._number)
        self._end = data[-40:]

    def connection_lost(self, _error: Exception | None) -> None:
        """Count it no more."""
        self._crowd.open -= 1


async def connect(crowd: Crowd, address: str, head: str, passes: list[str]) -> None:
    """Open all streams, some at once, and wait for their greetings."""
    host, _, port = address.partition(":")
    loop, gate = asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE)
    crowd.wait_for(GREETING, len(passes))

    async def one(number: int, text: str) -> None:
        source = f"127.0.0.{2 + number // PER_ADDRESS}"
        async with gate:
            transport, _ = await loop.create_connection(
                lambda: Page(crowd, number), host, int(port), local_addr=(source, 0)
            )
            transport.write(f"{head}{text}\r\n\r\n".encode())

    await asyncio.gather(*(one(number, text) for number, text in enumerate(passes)))
    await crowd.everybody(OPEN_SECONDS)


async def press(order: dict[str, Any], cookie: str, passes: list[str]) -> dict[int, float]:
    """Let shoppers press, evenly spread; return the instant of each one's press (s since 1970)."""
    (host, _, port), number, at = order["gate"].partition(":"), int(order["number"]), {}
    head = f"POST {order['press']} HTTP/1.1\r\nHost: {order['gate']}\r\nSec-Fetch-Site: same-origin\r\n"
    head += "Content-Length: 0\r\nConnection: close\r\n"

    async def one(who: int) -> None:
        await asyncio.sleep(who * order["over"] / number)
        reader, writer = await asyncio.open_connection(host, int(port))
        at[who] = time.time()
        writer.write(f"{head}Cookie: {cookie}={passes[who]}\r\n\r\n".encode())
        await reader.read()
        writer.close()

    await asyncio.gather(*map(one, range(number)))
    return at


async def obey(crowd: Crowd, order: dict[str, Any], cookie: str, passes: list[str]) -> None:
    """Carry out one command."""
    presses = "press" in order
    crowd.wait_for(order["text"].encode(), int(order["number"]) if presses else crowd.open)
    tell({"waits": order["text"]})
    pressed = await press(order, cookie, passes) if presses else {}
    await crowd.everybody(order["seconds"])
    took = [crowd.at[who] - at for who, at in pressed.items() if who in crowd.at]
    tell({"took": took} if presses else {"at": list(crowd.at.values()), "open": crowd.open})


def tell(told: dict[str, object]) -> None:
    """Print one line."""
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


async def run(address: str, cookie: str, path: str, file: Path) -> None:
    """Open the streams, then obey."""
    loop, crowd = asyncio.get_running_loop(), Crowd()
    passes = (await loop.run_in_executor(None, file.read_text)).split()
    head = f"GET {path} HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookie}="
    await connect(crowd, address, head, passes)
    tell({"open": crowd.open, "greeted": len(crowd.at)})
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await obey(crowd, json.loads(line), cookie, passes)


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], sys.argv[2], sys.argv[3], Path(sys.argv[4])))
