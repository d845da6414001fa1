"""Instants as people write them in their language: absolute, in the shop's zone, which is named."""

from datetime import datetime, timedelta

from django.utils import dateformat, timezone
from django.utils.translation import pgettext

SHORT = timedelta(minutes=2)
"""A time to pay below which a deadline without its seconds would mislead."""


def moment(at: datetime) -> str:
    """Return day, time and zone: `Friday 12 June 2026, 10:00 CEST`."""
    return _written(at, pgettext("date format", "l j F Y, H:i T"))


def hour(at: datetime) -> str:
    """Return time and zone: `10:24 CEST`; with the day where that is not today."""
    return _written(at, "H:i T" if _is_today(at) else pgettext("date format", "j F Y, H:i T"))


def instant(at: datetime) -> str:
    """Return time to the second and zone: `10:24:05 CEST`; with the day where that is not today."""
    return _written(at, "H:i:s T" if _is_today(at) else pgettext("date format", "j F Y, H:i:s T"))


def until(at: datetime, since: datetime) -> str:
    """Return a deadline: `10:24 UTC`; its day too where that is not today, its seconds if it is short."""
    if at - since < SHORT:
        return _written(at, "H:i:s T" if _is_today(at) else pgettext("date format", "j F, H:i:s T"))
    return _written(at, "H:i T" if _is_today(at) else pgettext("date format", "j F, H:i T"))


def _is_today(at: datetime) -> bool:
    return timezone.localtime(at).date() == timezone.localtime().date()


def _written(at: datetime, form: str) -> str:
    return dateformat.format(timezone.localtime(at), form)
