"""The addresses of the cockpit, below those of the sales in the admin."""

from collections.abc import Callable
from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpResponse
from django.urls import URLPattern, path

from flashsale.cockpit import (
    actions,
    calendars,
    deleted,
    entrants,
    live,
    log,
    planning,
    previews,
    rehearsals,
    reports,
    shopper,
)

Page = Callable[..., Callable[..., HttpResponse]]


def pages(page: Page, site: AdminSite) -> list[URLPattern]:
    """Return the pages; `page` lets only staff in and hands on what is named."""
    named: dict[str, tuple[str, Callable[..., HttpResponse], dict[str, Any]]] = {
        "sale-live": ("<int:pk>/live/", live.live, {"site": site}),
        "sale-frame": ("<int:pk>/live/frame/", live.frame, {}),
        "sale-chart": ("<int:pk>/live/<slug:name>.csv", live.chart_csv, {}),
        "sale-report": ("<int:pk>/report/", reports.report, {"site": site}),
        "sale-report-csv": ("<int:pk>/report.csv", reports.figures, {}),
        "sale-shopper": ("shopper/", shopper.shopper, {"site": site}),
        "sale-resend": ("shopper/mails/<int:pk>/again/", shopper.resend, {}),
        "sale-whitelist": ("<int:pk>/whitelist/", entrants.addresses, {"site": site}),
        "sale-calendar": ("calendar/", calendars.calendar, {"site": site}),
        "sale-deleted": ("deleted/", deleted.deleted, {"site": site}),
        "sale-delete": ("<int:pk>/bin/", deleted.delete, {}),
        "sale-undelete": ("<int:pk>/undelete/", deleted.undelete, {}),
        "sale-said": ("said/", planning.said, {}),
        "sale-duplicate": ("<int:pk>/duplicate/", planning.duplicate, {}),
        "sale-preview": ("<int:pk>/preview/<slug:state>/", previews.preview, {}),
        "sale-rehearse": ("<int:pk>/rehearse/", rehearsals.rehearse, {"site": site}),
        "sale-list": ("<int:pk>/whitelist/list.<slug:kind>", entrants.export, {}),
        "sale-progress": ("<int:pk>/whitelist/progress/", entrants.progress, {}),
        "sale-log": ("log/", log.log, {"site": site}),
        "sale-log-csv": ("log.csv", log.log_csv, {}),
    }
    for verb in actions.FORMS:
        named[f"sale-{verb}"] = (f"<int:pk>/{verb}/", actions.action, {"site": site, "verb": verb})
    return [path(route, page(view, **more), name=name) for name, (route, view, more) in named.items()]
