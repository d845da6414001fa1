"""The gate's part of the API's document: the gate is no Django view, so this is written by hand."""

from typing import Any

from flashsale.gate.answers import PHASE_WORDS, STATUS
from shop.openapi import add_links

Document = dict[str, Any]
MOST = 10**15 - 1
TIME = {"type": "integer", "description": "ms since 1970, by the store's clock"}
SCHEME = {"type": "http", "scheme": "bearer", "description": "The pass with which one leaves the entry page."}
TEXT_OF = {
    "200": "You have it: what you were told before.",
    "201": "A unit is yours.",
    "202": "You wait: in line or on standby.",
    "400": "This host name is not served here.",
    "403": "Without a pass for this sale, or from a page of somebody else.",
    "404": "There is nothing at this address.",
    "409": "Sold out.",
    "410": "The sale has ended.",
    "425": "The sale has not opened.",
    "429": "Too many attempts this minute.",
    "503": "Paused, or full: come back after `Retry-After` seconds.",
}

FIRST = "$response.body#/results/0"
LINKS = {
    ("/api/sales/", "get"): {
        "gate_status": {"sale": f"{FIRST}/id"},
        "gate_attempt": {"sale": f"{FIRST}/id", "item": f"{FIRST}/items/0/id"},
    },
    ("/api/sales/{id}/", "get"): {
        "gate_status": {"sale": "$response.body#/id"},
        "gate_attempt": {"sale": "$response.body#/id", "item": "$response.body#/items/0/id"},
    },
}


def add_gate(result: Document, **_: Any) -> Document:
    """Add the addresses under /gate/."""
    schemes = result.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["pass"] = SCHEME
    result["paths"] |= {
        "/gate/clock": {"get": _read("gate_clock", "The server's clock", {"200": _answer("The time.", NOW)})},
        "/gate/sales/{sale}": {"get": _status()},
        "/gate/sales/{sale}/items/{item}/attempt": {"post": _attempt()},
    }
    add_links(result, LINKS)
    return result


NOW = {"type": "object", "required": ["now"], "properties": {"now": TIME}}
OUTCOME = {
    "type": "object",
    "required": ["outcome", "now"],
    "properties": {
        "outcome": {"enum": sorted(STATUS)},
        "now": TIME,
        "reservation": {"type": "string"},
        "pay_by": TIME,
        "paid": {"type": "boolean"},
        "receipt": {"type": "string", "description": "Keep it: it proves that the unit is yours."},
        "number": {"type": "integer"},
        "position": {"type": "integer"},
        "turn_at": TIME,
        "ahead": {"type": "integer"},
        "opens_at": TIME,
        "retry_after": {"type": "integer", "description": "Seconds."},
    },
}
PAUSE = {
    "type": ["object", "null"],
    "description": "Why nobody can reserve now; null where the sale is not paused or nothing was said.",
    "properties": {
        "since": TIME,
        "news_at": TIME | {"description": "Until then the shop says more."},
        "why": {"type": ["object", "null"], "description": "A sentence in each language of the shop."},
    },
}
STATE = {
    "type": "object",
    "required": ["sale", "now", "state", "opens_at", "closes_at", "pause", "items", "queue"],
    "properties": {
        "sale": {"type": "integer"},
        "now": TIME,
        "state": {"enum": sorted(PHASE_WORDS.values())},
        "opens_at": TIME,
        "closes_at": TIME,
        "pause": PAUSE,
        "items": {"type": "array", "items": {"type": "object"}},
        "queue": {"type": ["object", "null"]},
    },
}
REFUSAL = {"type": "object", "properties": {"detail": {"type": "string"}, "outcome": {"type": "string"}}}


def _answer(text: str, schema: Document) -> Document:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _read(name: str, summary: str, responses: Document) -> Document:
    responses["400"] = _answer(TEXT_OF["400"], REFUSAL)
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["gate"],
        "security": [{}],
        "responses": responses,
    }


def _number(name: str) -> Document:
    schema = {"type": "integer", "minimum": 0, "maximum": MOST}
    return {"in": "path", "name": name, "required": True, "schema": schema}


def _status() -> Document:
    responses = {
        "200": _answer("The same for everybody; any cache may keep it for a second.", STATE),
        "404": _answer("There is no such sale.", REFUSAL),
        "503": _answer("The store is silent.", REFUSAL),
    }
    return {**_read("gate_status", "How a sale stands", responses), "parameters": [_number("sale")]}


def _attempt() -> Document:
    told = {code: _answer(text, OUTCOME) for code, text in TEXT_OF.items() if code not in ("400", "404")}
    responses = told | {"404": _answer(TEXT_OF["404"], REFUSAL)}
    return {
        **_read("gate_attempt", "Try for one unit", responses),
        "description": "No body is read. Asking again is safe: whoever holds a unit is told of the same one.",
        "security": [{"pass": []}],
        "parameters": [_number("sale"), _number("item")],
    }
