"""Filters that every template may use: `{% load shop %}`."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe

from shop import moments
from shop import money as money_
from shop.catalogue.prose import clean

register = template.Library()
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
def major(amount: int) -> str:
    """An amount in minor units as machines read it: `49.00`."""
    return str(money_.major(amount))


@register.filter
def ms(at: datetime) -> str:
    """An instant in milliseconds since 1970, for scripts."""
    return str(int(at.timestamp() * 1000))


@register.simple_tag
def now_ms() -> str:
    """This instant in milliseconds since 1970, for scripts."""
    return ms(timezone.now())
