"""The link by e-mail: a way into a sale that asks nobody to see, hear or transcribe anything.

It is good for one account and one sale, for half an hour, in every browser in which that account is logged
in, and as often as it is pressed: it gives the same shopper the same right, so that a mail program that looks
at it first, or a press on the wrong device, spoils nothing. Who else reads the mail cannot use it.
"""

from datetime import datetime, timedelta

from django.core import signing
from django.urls import reverse
from django.utils.translation import get_language

from accounts.models import User
from flashsale.models import Sale
from shop.orders import outbox
from shop.orders.models import OutboxMail

LIFE = timedelta(minutes=30)
AT_MOST_EVERY = 60
"""Seconds in which one mail leaves, however often it is asked for."""
_signer = signing.TimestampSigner(salt="flashsale.entry_link")


def make(*, user: User, sale: Sale) -> str:
    """Return the signed text of a link that begins to end now."""
    return _signer.sign(f"{sale.pk}.{user.pk}")


def holder(token: str, *, sale: Sale) -> int | None:
    """Return the account that a link of this sale is for; None if it has ended or is none of ours."""
    try:
        of_sale, _, user = _signer.unsign(token, max_age=LIFE).partition(".")
    except signing.BadSignature:
        return None
    return int(user) if of_sale == str(sale.pk) else None


def send(*, user: User, sale: Sale, now: datetime) -> None:
    """Write the mail into the outbox; a press that is repeated within the minute writes no second one."""
    address = reverse("sale-enter", args=[sale.slug], query={"link": make(user=user, sale=sale)})
    outbox.put(
        ref=f"entry-{sale.pk}-{user.pk}-{int(now.timestamp()) // AT_MOST_EVERY}",
        kind=OutboxMail.Kind.ENTRY_LINK,
        to=user.email,
        language=get_language() or "en",
        context={"title": sale.title, "ends_at": (now + LIFE).isoformat(), "path": address},
    )
