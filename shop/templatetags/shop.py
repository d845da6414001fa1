"""Filters that every template may use: `{% load shop %}`."""

import json
from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from shop import moments
from shop import money as money_
from shop.catalogue.prose import clean
from shop.orders import shipping

register = template.Library()
ESCAPES = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&"}
register.filter("moment", moments.moment)
register.filter("until", moments.until)


@register.filter
def money(amount: int | None) -> str:
    """An amount in minor units with its currency: `USD 49.00`; nothing for None."""
    return "" if amount is None else money_.draw(amount)


@register.filter
def prose(html: str) -> SafeString:
    """A product's description, cleaned once more: what a page shows does not rest on who wrote the row."""
    return mark_safe(clean(html))  # noqa: S308 - cleaned in this very line


@register.filter
def json_ld(data: object) -> SafeString:
    """Facts for search engines, in a block that no browser runs; nothing in them can end the block."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(ESCAPES)
    return mark_safe(f'<script type="application/ld+json">{text}</script>')  # noqa: S308 - escaped above


@register.filter
def major(amount: int) -> str:
    """An amount in minor units as machines read it: `49.00`."""
    return str(money_.major(amount))


@register.filter
def ms(at: datetime) -> str:
    """An instant in milliseconds since 1970, for scripts."""
    return str(int(at.timestamp() * 1000))


@register.simple_tag
def arrives() -> str:
    """When something that is sent should arrive if it is paid now."""
    return shipping.when(timezone.now(), is_paid=False)


@register.simple_tag
def now_ms() -> str:
    """This instant in milliseconds since 1970, for scripts."""
    return ms(timezone.now())
