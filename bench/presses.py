"""Two groups of shoppers press at the same instant, over a fast and a slow line.

python -m bench.presses ADDRESS COOKIE NUMBER FAST_MS SLOW_MS: opens a connection for each of so many shoppers
a group, says `ready`, and reads one line, `AT PATH FILE`: the instant (s since 1970), the address of the
attempt, and the passes, those of the fast group first. Each group presses so many ms after the instant.
Prints the outcomes as one JSON object; all are `late` if the instant was over before they could.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path

import uvloop

from bench.openloop import LENGTH, OUTCOME

LAST_ANSWER_SECONDS = 15.0


class Shopper(asyncio.Protocol):
    """One connection, one press, one answer."""

    def __init__(self) -> None:
        self._got = b""
        self.outcome: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        """Collect the answer."""
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        length = LENGTH.search(head) if end else None
        if length and len(body) >= int(length[1]) and not self.outcome.done():
            outcome = OUTCOME.match(body)
            self.outcome.set_result(outcome[1].decode() if outcome else "none")


async def run(address: str, cookie: str, number: int, delays: list[float]) -> Counter[str]:
    """Connect everybody, hear when to press, press, and count the outcomes; delays in s."""
    loop, (host, _, port) = asyncio.get_running_loop(), address.partition(":")
    lines = [await loop.create_connection(Shopper, host, int(port)) for _ in range(number * len(delays))]
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    at, path, file = (await loop.run_in_executor(None, sys.stdin.readline)).split()
    head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n"
    passes = await loop.run_in_executor(None, Path(file).read_text)
    requests = [f"{head}Cookie: {cookie}={text}\r\n\r\n".encode() for text in passes.split()]
    start = loop.time() + float(at) - time.time()
    pairs = [(transport, request) for (transport, _), request in zip(lines, requests, strict=True)]
    for group, delay in enumerate(delays):
        loop.call_at(start + delay, _send, pairs[group * number : (group + 1) * number])
    late = len(lines) if loop.time() > start else 0
    done, lost = await asyncio.wait([one.outcome for _, one in lines], timeout=LAST_ANSWER_SECONDS)
    return Counter(one.result() for one in done) + Counter({"lost": len(lost), "late": late})


def _send(pairs: list[tuple[asyncio.Transport, bytes]]) -> None:
    for transport, request in pairs:
        transport.write(request)


def main() -> None:
    """Read the command line, press, print."""
    address, cookie, number, *delays = sys.argv[1:]
    told = uvloop.run(run(address, cookie, int(number), [float(delay) / 1000 for delay in delays]))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
