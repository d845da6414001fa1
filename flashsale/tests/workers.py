"""What the browser of a shopper does for the proof of work at the entry, done by ALTCHA's own solver."""

import html
import json
from typing import Any

from altcha import Challenge, Payload, solve_challenge
from django.test import Client

from flashsale.models import SaleItem
from flashsale.tests.pages import address


def solved(challenge: str) -> str:
    """Solve a challenge as `work.ask` gives it."""
    found = Challenge.from_dict(json.loads(challenge))
    solution = solve_challenge(found)
    assert solution is not None
    return Payload(found, solution).to_base64()


def challenge_on(response: Any) -> str:
    """Return the challenge that a page carries."""
    page = response.content.decode()
    return html.unescape(page.partition('data-work="')[2].partition('"')[0])


def worked(client: Client, item: SaleItem) -> dict[str, str]:
    """Look at the entry page; return what a browser sends that made its check."""
    return {"work": solved(challenge_on(client.get(address(item, "enter"))))}
