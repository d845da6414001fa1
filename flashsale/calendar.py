"""The opening of a sale as an entry of a calendar (RFC 5545)."""

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from flashsale.models import Sale

LONGEST = 75
"""Octets of a line."""


def entry(sale: Sale) -> str:
    """Return a calendar with one entry, from the opening to the end, and an alarm ten minutes before."""
    address = settings.SHOP_URL + sale.get_absolute_url()
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:-//{_escaped(settings.SHOP_NAME)}//sales//EN",
        "BEGIN:VEVENT",
        f"UID:sale-{sale.pk}@{urlsplit(settings.SHOP_URL).hostname}",
        f"DTSTAMP:{_stamp(timezone.now())}",
        f"DTSTART:{_stamp(sale.opens_at)}",
        f"DTEND:{_stamp(sale.closes_at)}",
        f"SUMMARY:{_escaped(sale.title)}",
        f"DESCRIPTION:{_escaped(_('Enter before it opens: %(address)s') % {'address': address})}",
        f"URL:{address}",
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_escaped(sale.title)}",
        "TRIGGER:-PT10M",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    )
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    for sign in "\\;,":
        text = text.replace(sign, "\\" + sign)
    return "\\n".join(text.splitlines())


def _folded(line: str) -> Iterator[str]:
    """Cut a line where it gets too long, never within a character; what follows begins with a space."""
    part, size = "", 0
    for sign in line:
        width = len(sign.encode())
        if size + width > LONGEST:
            yield part
            part, size = " ", 1
        part, size = part + sign, size + width
    yield part
