"""How times are said to people: absolute with zone, and how long it is until then."""

from datetime import datetime, timedelta

from django.utils import dateformat, timezone
from django.utils.translation import ngettext

MINUTE, HOUR, DAY = 60, 3600, 86_400


def moment(at: datetime) -> str:
    """Return day, time and zone: `Friday 12 June 2026, 10:00 CEST`."""
    return dateformat.format(timezone.localtime(at), "l j F Y, H:i T")


def hour(at: datetime) -> str:
    """Return time and zone: `10:24 CEST`; with the day where that is not today."""
    local = timezone.localtime(at)
    is_today = local.date() == timezone.localtime().date()
    return dateformat.format(local, "H:i T" if is_today else "j F Y, H:i T")


def instant(at: datetime) -> str:
    """Return time to the second and zone: `10:24:05 CEST`; with the day where that is not today."""
    local = timezone.localtime(at)
    is_today = local.date() == timezone.localtime().date()
    return dateformat.format(local, "H:i:s T" if is_today else "j F Y, H:i:s T")


def span(length: timedelta) -> str:
    """Return a length of time as people say it: seconds below a minute, five-minute steps past twenty."""
    seconds = max(0, round(length.total_seconds()))
    if seconds < MINUTE:
        return ngettext("%(number)d second", "%(number)d seconds", seconds) % {"number": seconds}
    minutes = round(seconds / MINUTE)
    if minutes > 20:
        minutes = 5 * round(minutes / 5)
    if minutes < 100:
        return ngettext("%(number)d minute", "%(number)d minutes", minutes) % {"number": minutes}
    hours = round(seconds / HOUR)
    if hours < 48:
        return ngettext("%(number)d hour", "%(number)d hours", hours) % {"number": hours}
    days = round(seconds / DAY)
    return ngettext("%(number)d day", "%(number)d days", days) % {"number": days}


def figures(length: timedelta) -> str:
    """Return what a clock shows: `2 d 03:04:05`, `03:04:05` or `04:05`."""
    seconds = max(0, int(length.total_seconds()))
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, seconds = divmod(rest, MINUTE)
    if days:
        return f"{days} d {hours:02}:{minutes:02}:{seconds:02}"
    return f"{hours:02}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
