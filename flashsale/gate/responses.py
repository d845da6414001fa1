"""How gate and live send an answer over ASGI."""

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

from flashsale.gate.answers import PLAIN, Reply

Send = Callable[[dict[str, Any]], Awaitable[None]]
Ready = tuple[dict[str, Any], bytes]
"""How an answer begins in ASGI's words, and its body."""
JSON = (b"content-type", b"application/json")
NO_STORE = (b"cache-control", b"no-store")
# One question a second for all who ask, and nobody waits for its answer: meanwhile they get the last one.
ONE_SECOND = (b"cache-control", b"public, max-age=1, stale-while-revalidate=1")

STRANGE_HOST: Reply = (400, b'{"detail": "This host name is not served here."}', 0)
NOTHING_HERE: Reply = (404, b'{"detail": "There is nothing at this address."}', 0)
NO_SUCH_SALE: Reply = (404, b'{"detail": "There is no such sale."}', 0)
OTHER_METHOD: Reply = (405, b'{"detail": "This address does not answer this method."}', 0)


def _start(reply: Reply, caching: tuple[bytes, bytes]) -> dict[str, Any]:
    status, body, retry = reply
    return {"type": "http.response.start", "status": status, "headers": _headers(len(body), retry, caching)}


def _headers(length: int, retry: int, caching: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    headers = [JSON, (b"content-length", b"%d" % length), caching]
    return [*headers, (b"retry-after", b"%d" % retry)] if retry else headers


def ready(reply: Reply) -> Ready:
    """Return what is sent of an answered attempt."""
    status, body, retry = reply
    return _begun(status, len(body), retry), body


@lru_cache(maxsize=1000)
def _begun(status: int, length: int, retry: int) -> dict[str, Any]:
    """How the answer to an attempt begins: the same for most winners, and for most of those in line."""
    return {"type": "http.response.start", "status": status, "headers": _headers(length, retry, NO_STORE)}


# How an answer of the crowd begins, and its text but for the time (in ms: 13 digits until the year 2286).
READY = {
    outcome: (_begun(status, len(text % 10**12), retry), text)
    for outcome, (status, text, retry) in PLAIN.items()
}


async def respond(
    send: Send, reply: Reply, *, method: str, allow: tuple[str, ...], caching: tuple[bytes, bytes] = NO_STORE
) -> None:
    """Send a whole answer; `allow` are the methods that are told to whoever used another one."""
    start = _start(reply, caching)
    if reply[0] == 405:
        start["headers"].append((b"allow", ", ".join(allow).encode()))
    await send(start)
    await send({"type": "http.response.body", "body": b"" if method == "HEAD" else reply[1]})
