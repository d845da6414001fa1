"""What templates say of shoppers and addresses."""

from django import template

from accounts.countries import NAMES

register = template.Library()


@register.filter
def country_name(code: str) -> str:
    """Return the name of a two-letter country code; the code itself where it is unknown."""
    return NAMES.get(code, code)
