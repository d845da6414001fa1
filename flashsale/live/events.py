"""What is sent over a stream: server-sent events, encoded once for everybody who hears them."""

import json
import random
from collections.abc import Sequence

from flashsale.replies import Answer, Own, Status
from flashsale.results import Result

HEARTBEAT = b":\n\n"
RETRY_MS = (1_000, 5_000)
STAY_AWAY = b"retry: 60000\n\n"
"""The last word to a connection that gave way to a newer one of the same shopper, lest he swap for ever."""


def event(name: str, data: bytes, mark: str = "") -> bytes:
    """Return one event; `mark` becomes its id."""
    head = f"id: {mark}\n" if mark else ""
    return f"{head}event: {name}\ndata: ".encode() + data + b"\n\n"


def hello(now: int) -> bytes:
    """Begin a stream: the server's clock (ms), and when to come back should it break, different for each."""
    retry = random.randint(*RETRY_MS)  # noqa: S311
    return b"retry: %d\n" % retry + event("hello", b'{"now": %d}' % now)


def state(document: bytes, status: Status) -> bytes:
    """The public state of the sale; its id is the store's epoch and sequence."""
    return event("state", document, f"{status.epoch}-{status.seq}")


def result(news: Result) -> bytes:
    """One piece of personal news."""
    facts = {name: getattr(news, name) for name in ("kind", "item", "rid", "pay_by", "number")}
    return event("result", json.dumps(facts).encode())


def own(found: Own, items: Sequence[int], now: int) -> bytes:
    """Everything a shopper has of the sale, whatever he was told before."""
    ticket = found.ticket and {"number": found.ticket.number, "turn_at": found.ticket.turn_at}
    places = [_place(item, found.items.get(item)) for item in items]
    return event("own", json.dumps({"now": now, "ticket": ticket, "items": places}).encode())


def _place(item: int, answer: Answer | None) -> dict[str, object]:
    found = answer or Answer("none")
    return {
        "item": item,
        "outcome": found.outcome,
        "rid": found.rid,
        "pay_by": found.pay_by,
        "paid": found.paid,
        "number": found.number,
        "position": found.position,
    }
