"""A browser's mark: random, signed, and the same whoever logs in there, so that limits can count by browser.

Its cookie also knows the accounts that logged in there last. Wrong passwords are counted per account, and
anybody could use up somebody else's tries just before a sale: a browser that knows the account counts by
itself. It names nobody: an account is told from its code only by whoever has the shop's key and the mark.
"""

import secrets
from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

COOKIE = "device"
SALT = "accounts.devices.marks"
LIFETIME = 365 * 86_400  # seconds
ACCOUNTS = 4
"""So many accounts a browser is known for: a household shares one."""


class Ticket(NamedTuple):
    """What the cookie says: the mark, empty where there is none, and the codes of accounts, newest first."""

    mark: str
    accounts: list[str]


def mark(request: HttpRequest) -> str:
    """Return the mark of this browser; empty where it brings none that the shop has signed."""
    return shown(request).mark


def known(request: HttpRequest, *, email: str) -> str:
    """Return this browser's mark if the account was logged in here before, else an empty text."""
    ticket = shown(request)
    code = _code(ticket.mark, email)
    return ticket.mark if any(constant_time_compare(code, one) for one in ticket.accounts) else ""


def remember(request: HttpRequest, response: HttpResponse, *, email: str) -> None:
    """Let this browser be known for an account from now on; it keeps its mark, or gets one."""
    ticket = shown(request)
    own = ticket.mark or secrets.token_urlsafe(12)
    code = _code(own, email)
    accounts = [code, *(one for one in ticket.accounts if one != code)][:ACCOUNTS]
    response.set_cookie(
        COOKIE,
        signed(own, accounts),
        max_age=LIFETIME,
        secure=not settings.DEBUG,
        httponly=True,
        samesite="Lax",
    )


def signed(own: str, accounts: list[str]) -> str:
    """Return the cookie's text."""
    return signing.dumps([own, accounts], salt=SALT)


def shown(request: HttpRequest) -> Ticket:
    """Return the cookie of this browser; an empty ticket where it brings none that the shop has signed."""
    try:
        return Ticket(*signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LIFETIME))
    except (signing.BadSignature, ValueError, TypeError):
        return Ticket("", [])


def _code(own: str, email: str) -> str:
    return salted_hmac(SALT, f"{own} {email.strip().lower()}", algorithm="sha256").hexdigest()[:16]
