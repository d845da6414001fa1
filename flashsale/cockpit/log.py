"""The audit log: who did what to which sale and when, what it was before and after, and why."""

from django.contrib.admin import AdminSite
from django.contrib.admin.models import LogEntry
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from flashsale import audit
from flashsale.cockpit.figures import both_zones
from flashsale.cockpit.live import csv_file, watcher
from flashsale.models import Sale

ROWS = 100


def row(one: LogEntry) -> list[str]:
    """Return one entry: when (ISO 8601), who, sale, what, before, after, reason."""
    change = getattr(one, "change", None)
    more = [change.before, change.after, change.reason] if change else ["", "", ""]
    when = one.action_time.isoformat(timespec="seconds")
    return [when, str(one.user), one.object_repr, one.get_change_message(), *more]


@require_safe
def log(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The newest first; of one sale with `?sale=`."""
    watcher(request)
    wanted = request.GET.get("sale", "")
    sale = Sale.objects.filter(pk=int(wanted)).first() if wanted.isdecimal() else None
    entries = Paginator(audit.log(sale), ROWS).get_page(request.GET.get("page"))
    headers = [_("When"), _("Who"), _("Sale"), _("What"), _("Before"), _("After"), _("Reason")]
    rows = [[both_zones(one.action_time), *row(one)[1:]] for one in entries]
    context = {
        **site.each_context(request),
        "opts": Sale._meta,
        "title": _("Audit log of “%(sale)s”") % {"sale": sale.title} if sale else _("Audit log of all sales"),
        "headers": headers,
        "rows": [list(zip(headers, one, strict=True)) for one in rows],
        "entries": entries,
        "sale": sale,
    }
    return render(request, "flashsale/cockpit/log.html", context)


@require_safe
def log_csv(request: HttpRequest) -> HttpResponse:
    """Everything as CSV."""
    watcher(request)
    headers = ["when", "who", "sale", "what", "before", "after", "reason"]
    return csv_file("audit-log.csv", [headers, *(row(one) for one in audit.log())])
