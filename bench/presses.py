"""Two groups of shoppers press at the same instant, over a fast and a slow line.

python -m bench.presses ADDRESS PATH COOKIE AT FAST_MS SLOW_MS FILE: the first half of the passes has the fast
line. Every shopper has a connection of his own, open before the instant `AT` (s since 1970), and presses so
many ms after it. Prints the outcomes as one JSON object; all are `late` if the connections were.
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


async def run(address: str, at: float, groups: list[tuple[float, list[bytes]]]) -> Counter[str]:
    """Connect everybody, let each group press its delay (s) after `at`, and count the outcomes."""
    loop, (host, _, port) = asyncio.get_running_loop(), address.partition(":")
    start, shoppers = loop.time() + at - time.time(), []
    for delay, requests in groups:
        lines = [await loop.create_connection(Shopper, host, int(port)) for _ in requests]
        shoppers += [shopper for _, shopper in lines]
        pairs = [(transport, request) for (transport, _), request in zip(lines, requests, strict=True)]
        loop.call_at(start + delay, _send, pairs)
    late = len(shoppers) if loop.time() > start else 0
    done, lost = await asyncio.wait([one.outcome for one in shoppers], timeout=LAST_ANSWER_SECONDS)
    return Counter(one.result() for one in done) + Counter({"lost": len(lost), "late": late})


def _send(pairs: list[tuple[asyncio.Transport, bytes]]) -> None:
    for transport, request in pairs:
        transport.write(request)


def main() -> None:
    """Read the passes, press, print."""
    address, path, cookie, at, fast, slow, file = sys.argv[1:]
    head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 0\r\n"
    requests = [f"{head}Cookie: {cookie}={text}\r\n\r\n".encode() for text in Path(file).read_text().split()]
    half = len(requests) // 2
    groups = [(float(fast) / 1000, requests[:half]), (float(slow) / 1000, requests[half:])]
    print(json.dumps(uvloop.run(run(address, float(at), groups))))


if __name__ == "__main__":
    main()
