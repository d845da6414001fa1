"""How one unit of the shop asks another: a few requests over HTTP, each safe to repeat."""

import json
import uuid
from dataclasses import asdict, dataclass
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

from django.conf import settings

TIMEOUT = 5.0


class UnitAway(Exception):
    """The other unit did not answer, or not as one of ours; what it has done is not known."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Units of a variant in a sale. Slug and SKU are the same in every region; numbers are not."""

    sale: str
    sku: str
    units: int


def regions() -> list[str]:
    """Return the other regions that we know (`UNITS`)."""
    return sorted(settings.UNITS)


def offer(region: str, number: uuid.UUID, what: Offer) -> str:
    """Ask a region to take units; return `arrived` or `refused`. Raises UnitAway."""
    return _state(_ask(region, "PUT", f"{number}/", asdict(what)))


def refuse(region: str, number: uuid.UUID) -> str:
    """Ask a region never to take them; return `refused`, or `arrived` if it has. Raises UnitAway."""
    return _state(_ask(region, "DELETE", f"{number}/"))


def on_their_way(region: str) -> dict[uuid.UUID, Offer]:
    """Ask a region what is on its way from there to us. Raises UnitAway."""
    found = _ask(region, "GET", "")
    try:
        return {
            uuid.UUID(row["id"]): Offer(str(row["sale"]), str(row["sku"]), int(row["units"])) for row in found
        }
    except (KeyError, TypeError, ValueError) as error:
        raise UnitAway(f"{region} answered something else: {error}") from error


def _state(answer: Any) -> str:
    state = answer.get("state") if isinstance(answer, dict) else None
    if state not in ("arrived", "refused"):
        raise UnitAway(f"the answer is no state: {answer!r:.80}")
    return str(state)


def _ask(region: str, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
    url = f"{settings.UNITS[region].rstrip('/')}/api/units/transfers/{path}"
    headers = {
        "Authorization": f"Unit {settings.UNIT_TOKEN}",
        "X-Region": settings.REGION,
        "Content-Type": "application/json",
    }
    data = json.dumps(body).encode() if body is not None else None
    request = Request(url, data, headers, method=method)  # noqa: S310 - settings allow http and https only
    try:
        with urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
            return json.load(response)
    except (OSError, HTTPException, ValueError) as error:  # HTTPError is an OSError
        raise UnitAway(f"{region} does not answer: {error}") from error
