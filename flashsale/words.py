"""How times are said to people: absolute with zone, and how long it is until then."""

from datetime import timedelta

from django.utils.translation import gettext, ngettext

from shop.moments import hour, instant, moment

__all__ = ["figures", "hour", "instant", "moment", "span", "span_range"]

MINUTE, HOUR, DAY = 60, 3600, 86_400


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


def span_range(length: timedelta) -> str:
    """Return a wait whose pace may change: past twenty minutes a range of five, or of an hour."""
    minutes = round(length.total_seconds() / MINUTE)
    if minutes <= 20:
        return span(length)
    if minutes < 100:
        low = minutes - minutes % 5
        return gettext("%(low)d–%(high)d minutes") % {"low": low, "high": low + 5}
    low = int(length.total_seconds() / HOUR)
    return gettext("%(low)d–%(high)d hours") % {"low": low, "high": low + 1}


def figures(length: timedelta) -> str:
    """Return what a clock shows: `2 d 03:04:05`, `03:04:05` or `04:05`."""
    seconds = max(0, int(length.total_seconds()))
    days, rest = divmod(seconds, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, seconds = divmod(rest, MINUTE)
    if days:
        return f"{days} d {hours:02}:{minutes:02}:{seconds:02}"
    return f"{hours:02}:{minutes:02}:{seconds:02}" if hours else f"{minutes:02}:{seconds:02}"
