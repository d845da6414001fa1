"""What a mail of the outbox says: `templates/mail/<kind>.txt`, `.html` and `.subject.txt`."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import translation

from shop.orders.models import OutboxMail


def render(row: OutboxMail) -> EmailMultiAlternatives:
    """Write the mail in the shopper's language, with the absolute times of the shop's zone."""
    context = _context(row)
    with translation.override(row.language):
        subject = " ".join(render_to_string(f"mail/{row.kind}.subject.txt", context).split())
        text = render_to_string(f"mail/{row.kind}.txt", context).strip() + "\n"
        html = render_to_string(f"mail/{row.kind}.html", {**context, "subject": subject})
    headers = {"Message-ID": message_id(row), "Auto-Submitted": "auto-generated"}
    if "stop_url" in context:
        headers["List-Unsubscribe"] = f"<{context['stop_url']}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message = EmailMultiAlternatives(subject, text, to=[row.to], headers=headers)
    message.attach_alternative(html, "text/html")
    return message


def message_id(row: OutboxMail) -> str:
    """Return the one Message-ID of this mail, however often it is sent."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", f"{row.ref}.{row.kind}")
    return f"<{name}@{urlsplit(settings.SHOP_URL).hostname or 'localhost'}>"


def _context(row: OutboxMail) -> dict[str, Any]:
    """The row's own context, with times read and links made absolute."""
    context: dict[str, Any] = _with_times(row.context)
    if "stop_path" in context:
        context["stop_url"] = settings.SHOP_URL + context["stop_path"]
    url = settings.SHOP_URL + context.get("path", "/")
    return {**context, "url": url, "shop_url": settings.SHOP_URL, "SHOP_NAME": settings.SHOP_NAME}


def _with_times(value: Any, name: str = "") -> Any:
    """Read every text named `…_by` or `…_at` as a time in ISO 8601, however deep it lies."""
    if isinstance(value, dict):
        return {key: _with_times(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_times(one, name) for one in value]
    if isinstance(value, str) and name.endswith(("_by", "_at")):
        return datetime.fromisoformat(value)
    return value
