"""Times in words for the pages of sales, and the sales on the front page: `{% load sales %}`."""

from datetime import datetime, timedelta

from django import template
from django.conf import settings
from django.utils import timezone

from flashsale import showing, words
from flashsale.showing import Board

register = template.Library()
register.filter("moment", words.moment)
register.filter("hour", words.hour)
register.filter("instant", words.instant)
register.filter("span", words.span)
register.filter("range", words.span_range)
register.filter("figures", words.figures)


@register.filter
def from_now(at: datetime, now: datetime | None = None) -> timedelta:
    """Time from now until `at`; never negative."""
    return max(at - (now or timezone.now()), timedelta())


@register.filter
def seconds(number: int) -> timedelta:
    """A number of seconds as a length of time."""
    return timedelta(seconds=number)


@register.simple_tag
def zone() -> str:
    """Name the shop's time zone for scripts, and how people call it now: `Europe/Berlin CEST`."""
    return f"{settings.TIME_ZONE} {timezone.localtime():%Z}"


@register.simple_tag
def sale_board() -> Board:
    """Running, coming and past sales, for the front page: `{% sale_board as board %}`."""
    return showing.board()
