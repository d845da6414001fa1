"""The report of a sale as a page and as CSV."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from flashsale.admin_views import page
from flashsale.cockpit.live import csv_file, watched
from flashsale.report import gathering, telling


@require_safe
def report(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """What came of a sale so far, or in the end."""
    sale = watched(request, pk)
    found = gathering.gather(sale)
    context = page(
        request,
        site,
        sale,
        title=_("Report on “%(sale)s”") % {"sale": sale.title},
        facts=telling.facts(found),
        funnel=telling.funnel(found),
        sums=telling.sums(found),
        judgements=telling.judgements(found),
        charts=telling.drawn(found),
    )
    return render(request, "flashsale/cockpit/report.html", context)


@require_safe
def figures(request: HttpRequest, pk: int) -> HttpResponse:
    """All figures of the report as CSV."""
    sale = watched(request, pk)
    return csv_file(f"{sale.slug}-report.csv", telling.csv_rows(gathering.gather(sale)))
