"""Entry to a sale: what is remembered of a shopper who was let in, and the pass he leaves with.

The pass is a cookie that only the gate of this one sale receives, so that two sales may be entered in one
browser. The session remembers the same, for the pages that work without the cookie's script.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User
from flashsale.models import Sale
from flashsale.passes import Signer

LONGEST = timedelta(hours=24)
AFTER_CLOSING = timedelta(hours=1)
PASSES = "passes"


def expires_at(*, sale: Sale, now: datetime) -> datetime:
    """Return when a pass issued at `now` ends: an hour after the sale, but within a day."""
    return min(sale.closes_at + AFTER_CLOSING, now + LONGEST)


def has_entered(*, request: HttpRequest, sale: Sale) -> bool:
    """Whether this session was let into the sale and its pass still lives."""
    passes: dict[str, int] = request.session.get(PASSES, {})
    return passes.get(str(sale.pk), 0) > timezone.now().timestamp()


def let_in(*, request: HttpRequest, response: HttpResponse, user: User, sale: Sale) -> None:
    """Issue the pass on `response` and remember it in the session; forgets passes that have ended."""
    now = timezone.now()
    until = expires_at(sale=sale, now=now)
    expiry = int(until.timestamp())
    old: dict[str, int] = request.session.get(PASSES, {})
    living = {key: value for key, value in old.items() if value > now.timestamp()}
    request.session[PASSES] = living | {str(sale.pk): expiry}
    response.set_cookie(
        settings.PASS_COOKIE,
        Signer(settings.PASS_KEYS).issue(sale=sale.pk, user=user.pk, expires_at=expiry),
        expires=until,
        path=f"/gate/sales/{sale.pk}/",
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )
