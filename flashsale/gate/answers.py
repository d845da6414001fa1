"""How an outcome is said over HTTP: status, JSON and headers."""

import json
import math
import random
from typing import Any

from flashsale.passes import Signer
from flashsale.queue import Queue, fingerprint
from flashsale.replies import Answer, Status

STATUS = {
    "reserved": 200,
    "queued": 202,
    "standby": 202,
    "sold_out": 409,
    "not_open": 425,
    "ended": 410,
    "paused": 503,
    "refused": 403,
    "slow_down": 429,
    "full": 503,
}
PHASE_WORDS = {"not_open": "coming", "open": "running", "paused": "paused", "ended": "ended"}
RETRY_SECONDS = {"paused": 2}

Reply = tuple[int, bytes, int]


def _plain(outcome: str) -> Reply:
    retry = RETRY_SECONDS.get(outcome, 0)
    hint = f', "retry_after": {retry}' if retry else ""
    return STATUS[outcome], f'{{"outcome": "{outcome}", "now": %d{hint}}}'.encode(), retry


# The answers of the crowd say the same to everybody, but for the time.
PLAIN = {outcome: _plain(outcome) for outcome in ("sold_out", "ended", "paused", "refused")}


# Nothing in it needs escaping: numbers, a reservation's name (digits and hyphens) and a receipt.
RESERVED = (
    '{"outcome": "reserved", "now": %d, "reservation": "%s", "pay_by": %d, "paid": %s, "receipt": "%s"}'
)


def plain_reply(outcome: str, now: int) -> Reply:
    """Return the reply of an outcome of PLAIN; `now` in ms."""
    status, text, retry = PLAIN[outcome]
    return status, text % now, retry


def attempt_reply(answer: Answer, *, now: int, sale: int, user: int, signer: Signer) -> Reply:
    """Return status, body and seconds for Retry-After (0 for none) of an answered attempt."""
    if answer.outcome in PLAIN:
        return plain_reply(answer.outcome, now)
    if answer.outcome == "reserved":
        receipt = signer.receipt(sale=sale, rid=answer.rid, user=user, pay_by=answer.pay_by)
        paid = "true" if answer.paid else "false"
        text = RESERVED % (now, answer.rid, answer.pay_by, paid, receipt)
        return 201 if answer.first else 200, text.encode(), 0
    facts, wait_ms = _facts(answer, now)
    retry = max(1, math.ceil(wait_ms / 1000)) if wait_ms is not None else 0
    body = {"outcome": answer.outcome, "now": now, **facts}
    if retry:
        body["retry_after"] = retry
    return STATUS[answer.outcome], json.dumps(body).encode(), retry


def _facts(answer: Answer, now: int) -> tuple[dict[str, int], float | None]:
    """What is said beside the outcome, and after how many ms it is worth asking again; None for never."""
    if answer.outcome == "standby":
        return {"number": answer.number, "position": answer.position}, None
    if answer.outcome == "queued":
        facts = {"number": answer.number, "turn_at": answer.at, "ahead": answer.position}
        return facts, answer.at - now if answer.at else 1000 * RETRY_SECONDS["paused"]
    if answer.outcome == "not_open":
        return {"opens_at": answer.at}, answer.at - now
    return {}, retry_ms(answer)


def retry_ms(answer: Answer) -> float:
    """After how many ms to ask again; whoever found the line full must not come with everybody else."""
    return answer.at * (random.uniform(0.67, 1.33) if answer.outcome == "full" else 1)  # noqa: S311


def _queue(queue: Queue, now: int, *, is_over: bool) -> dict[str, Any]:
    """Describe a queue as `docs/queue.md` says; its key is told when nobody can profit from it any more."""
    return {
        "schedule": queue.schedule,
        "tickets": queue.tickets,
        "served": queue.served(now),
        "limit": queue.limit,
        "tie_band": queue.tie_band,
        "lots_at_open": queue.lots_at_open,
        "key_sha256": fingerprint(queue.key),
        "key": queue.key if is_over else None,
    }


def status_document(sale: int, status: Status, now: int) -> bytes:
    """The public state of a sale: the same for everybody, cacheable for one second."""
    items = [
        {
            "item": item,
            "quantity": units.quantity,
            "free": units.free,
            "standby_free": status.standby_free(item),
            "sold_out": status.is_gone(item),
        }
        for item, units in status.items.items()
    ]
    return json.dumps(
        {
            "sale": sale,
            "now": now,
            "state": PHASE_WORDS[status.phase],
            "opens_at": status.opens_at,
            "closes_at": status.closes_at,
            "pause": json.loads(status.notice) if status.notice and status.phase == "paused" else None,
            "items": items,
            "queue": _queue(status.queue, now, is_over=status.phase == "ended") if status.queue else None,
        }
    ).encode()
