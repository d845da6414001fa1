"""Entry to a sale: the pass with which a shopper leaves it, and how the sale's pages know that he was let in.

The pass is a cookie that only the gate of this one sale receives. The pages of the sale get the same signed
text in a cookie of their own, so that they know it without asking a store and nothing is written for it.
"""

import time
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.models import User
from flashsale.models import Sale
from flashsale.passes import PassError, signer_of

LONGEST = timedelta(hours=24)
AFTER_CLOSING = timedelta(hours=1)

COME_IN = """
INSERT INTO flashsale_entrance (sale_id, user_id, network, at) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING"""
"""By itself: the framework opens a transaction around it, two more ways to the database for everybody."""


def expires_at(*, sale: Sale, now: datetime) -> datetime:
    """Return when a pass issued at `now` ends: an hour after the sale, but within a day."""
    return min(sale.closes_at + AFTER_CLOSING, now + LONGEST)


def has_entered(*, request: HttpRequest, sale: Sale) -> bool:
    """Whether whoever is logged in was let into the sale in this browser, and his pass still lives."""
    shown = request.COOKIES.get(_entered(sale), "")
    if not shown:
        return False
    try:
        user = signer_of(tuple(settings.PASS_KEYS)).verify(shown.encode(), sale=sale.pk, now=time.time())
    except PassError:
        return False
    return user == request.user.pk


def remember(*, user: User, sale: Sale, address: str) -> None:
    """Write down that somebody was let in, the first time, and from which network; one statement.

    Two browsers of the same shopper may enter at once: the row of the first one stays.
    """
    with connection.cursor() as cursor:
        cursor.execute(COME_IN, [sale.pk, user.pk, network_of(address), timezone.now()])


def network_of(address: str) -> str:
    """Return the /24 of an address, the /48 of an IPv6 address; empty where it is none."""
    try:
        bits = 24 if ip_address(address).version == 4 else 48
    except ValueError:
        return ""
    return str(ip_network(f"{address}/{bits}", strict=False))


def let_in(*, response: HttpResponse, user: User, sale: Sale, pages: str) -> None:
    """Issue the pass on `response`, for the gate and for the pages of the sale, all below `pages`."""
    until = expires_at(sale=sale, now=timezone.now())
    issued = signer_of(tuple(settings.PASS_KEYS)).issue(
        sale=sale.pk, user=user.pk, expires_at=int(until.timestamp())
    )
    gate = f"/gate/sales/{sale.pk}/"
    secure = settings.SESSION_COOKIE_SECURE
    # Lax: whoever comes from a mail is known; what a page does for him still needs its own token.
    for name, path, samesite in ((settings.PASS_COOKIE, gate, "Strict"), (_entered(sale), pages, "Lax")):
        response.set_cookie(
            name,
            issued,
            expires=until,
            path=path,
            secure=secure,
            httponly=True,
            samesite=samesite,  # type: ignore[arg-type]
        )


def _entered(sale: Sale) -> str:
    return f"{settings.ENTERED_COOKIE}-{sale.pk}"
