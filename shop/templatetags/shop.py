"""Filters that every template may use: `{% load shop %}`."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from shop import money as money_
from shop.catalogue.prose import clean

register = template.Library()


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
