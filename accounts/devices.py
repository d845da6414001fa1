"""Browsers in which somebody has logged in before: strangers who guess cannot lock them out.

Wrong passwords are counted per account, so anybody could use up somebody else's tries just before a sale.
A browser that carries this account's cookie counts by itself.
"""

import secrets
from hashlib import sha256

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "device"
SALT = "accounts.devices"
LIFETIME = 365 * 86_400  # seconds


def _digest(email: str) -> str:
    return sha256(email.strip().lower().encode()).hexdigest()


def remember(response: HttpResponse, *, email: str) -> None:
    """Let this browser be known for an account from now on."""
    response.set_cookie(
        COOKIE,
        signing.dumps([_digest(email), secrets.token_urlsafe(12)], salt=SALT),
        max_age=LIFETIME,
        secure=not settings.DEBUG,
        httponly=True,
        samesite="Lax",
    )


def known(request: HttpRequest, *, email: str) -> str:
    """Return this browser's own mark if the account was logged in here before, else an empty text."""
    try:
        digest, mark = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        return ""
    return str(mark) if secrets.compare_digest(str(digest), _digest(email)) else ""
