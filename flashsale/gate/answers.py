"""How an outcome is said over HTTP: status, JSON and headers."""

import json
import math
from typing import Any

from flashsale.passes import Signer
from flashsale.stock import Answer, Status

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
RETRY_SECONDS = {"paused": 2, "full": 1}

Reply = tuple[int, bytes, int]


def _plain(outcome: str) -> Reply:
    retry = RETRY_SECONDS.get(outcome, 0)
    hint = f', "retry_after": {retry}' if retry else ""
    return STATUS[outcome], f'{{"outcome": "{outcome}", "now": %d{hint}}}'.encode(), retry


# The answers of the crowd say the same to everybody, but for the time.
PLAIN = {outcome: _plain(outcome) for outcome in ("sold_out", "ended", "paused", "full", "refused")}


# Nothing in it needs escaping: numbers, a reservation's name (digits and hyphens) and a receipt.
RESERVED = (
    '{"outcome": "reserved", "now": %d, "reservation": "%s", "pay_by": %d, "paid": %s, "receipt": "%s"}'
)


def attempt_reply(answer: Answer, *, now: int, sale: int, user: int, signer: Signer) -> Reply:
    """Return status, body and seconds for Retry-After (0 for none) of an answered attempt."""
    plain = PLAIN.get(answer.outcome)
    if plain is not None:
        return plain[0], plain[1] % now, plain[2]
    if answer.outcome == "reserved":
        receipt = signer.receipt(sale=sale, rid=answer.rid, user=user, pay_by=answer.pay_by)
        paid = "true" if answer.paid else "false"
        text = RESERVED % (now, answer.rid, answer.pay_by, paid, receipt)
        return 201 if answer.first else 200, text.encode(), 0
    body: dict[str, Any] = {"outcome": answer.outcome, "now": now}
    status, retry = STATUS[answer.outcome], 0
    if answer.outcome == "standby":
        body |= {"number": answer.number, "position": answer.position}
    elif answer.outcome == "not_open":
        body["opens_at"] = answer.at
        retry = max(1, math.ceil((answer.at - now) / 1000))
    elif answer.outcome == "slow_down":
        retry = max(1, math.ceil(answer.at / 1000))
    if retry:
        body["retry_after"] = retry
    return status, json.dumps(body).encode(), retry


def status_document(sale: int, status: Status, now: int) -> bytes:
    """The public state of a sale: the same for everybody, cacheable for one second."""
    items = [
        {
            "item": item,
            "quantity": units.quantity,
            "free": units.free,
            "standby_free": max(0, status.standby_size - units.standby),
            "sold_out": units.free == 0 and units.standby >= status.standby_size,
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
            "items": items,
        }
    ).encode()
