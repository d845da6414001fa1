"""The calendar of sales: a month, each sale on every day on which it is open."""

from calendar import Calendar
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from flashsale.cockpit.live import watcher
from flashsale.models import Sale


class Shown(NamedTuple):
    """A sale on one day: its state, and when it opens or ends on that day, in the shop's zone and in UTC."""

    sale: Sale
    phase: str
    times: str


class Day(NamedTuple):
    """A day of the calendar."""

    date: date
    is_of_month: bool
    is_today: bool
    sales: list[Shown]


def month_of(text: str, today: date) -> date:
    """Return the first day of a month such as `2026-06`; of this one where the text is none."""
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC).date()
    except ValueError:
        return today.replace(day=1)


def weeks(month: date, sales: Iterable[Sale], today: date) -> list[list[Day]]:
    """Return the weeks of a month, Monday first."""
    shown = [(sale, timezone.localtime(sale.opens_at), timezone.localtime(sale.closes_at)) for sale in sales]
    found = []
    for week in Calendar().monthdatescalendar(month.year, month.month):
        days = []
        for day in week:
            of_day = [
                Shown(sale, sale.phase, _times(sale, day))
                for sale, opens, closes in shown
                if opens.date() <= day <= closes.date()
            ]
            days.append(Day(day, day.month == month.month, day == today, of_day))
        found.append(days)
    return found


def _times(sale: Sale, day: date) -> str:
    said = []
    for word, at in ((_("opens"), sale.opens_at), (_("ends"), sale.closes_at)):
        own = timezone.localtime(at)
        if own.date() == day:
            utc = "" if own.utcoffset() == timedelta() else f" ({at.astimezone(UTC):%H:%M} UTC)"
            said.append(f"{word} {own:%H:%M} {own.tzname()}{utc}")
    return ", ".join(said) or _("open all day")


@require_safe
def calendar(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """One month; `?month=2026-06`."""
    watcher(request)
    today = timezone.localdate()
    month = month_of(request.GET.get("month", ""), today)
    following = (month + timedelta(days=32)).replace(day=1)
    around = Sale.objects.filter(rehearsal_of=None, deleted_at=None)
    around = around.filter(opens_at__date__lt=following + timedelta(days=7))
    around = around.filter(closes_at__date__gte=month - timedelta(days=7))
    context = {
        **site.each_context(request),
        "opts": Sale._meta,
        "title": dateformat.format(month, "F Y"),
        "weeks": weeks(month, around, today),
        "names": [dateformat.format(day, "l") for day in Calendar().monthdatescalendar(2026, 6)[0]],
        "before": f"{month - timedelta(days=1):%Y-%m}",
        "after": f"{following:%Y-%m}",
    }
    return render(request, "flashsale/cockpit/calendar.html", context)
