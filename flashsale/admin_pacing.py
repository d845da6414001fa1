"""The line of a sale in the admin: its figures, another rate, and going on after a pause."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from flashsale import audit, pacing
from flashsale.admin_forms import RateForm
from flashsale.admin_views import back, find_sale, operator, page
from flashsale.errors import SaleError
from flashsale.models import Sale
from flashsale.pacing import number, pace


def figures(sale: Sale) -> dict[str, Any]:
    """Return the figures of the line as a table for the sale's page; empty where nobody ever waits."""
    try:
        line = pacing.look(sale)
    except SaleError:
        return {}  # the figures above have said so
    if line is None:
        return {}
    headers = [_("Tickets issued"), _("Served"), _("Waiting"), _("Turn of the last in line"), _("Rate set")]
    counts = [number(count) for count in (line.queue.tickets, line.served, line.waiting)]
    row = [*counts, line.last_turn() if line.waiting else _("nobody waits"), pace(line.queue.rate)]
    title = _("The line at %(time)s") % {"time": line.time()}
    found = {"line": {"headers": headers, "rows": [row]}, "line_title": title}
    return found | {"resume_effect": pacing.resume_effect(sale) if line.is_paused else ""}


@require_http_methods(["GET", "POST"])
def rate(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """Say what another rate does to those who wait, then set it."""
    sale = find_sale(request, pk)
    given = request.POST if request.method == "POST" else request.GET
    form = RateForm(given if "rate" in given else None, sale=sale)
    is_right = form.is_bound and form.is_valid()
    try:
        if request.method == "POST" and is_right:
            return _set(request, sale, **form.cleaned_data)
        pacing.refuse_unless_open(sale)
        then = _then(sale, form.cleaned_data["rate"]) if is_right else {}
    except SaleError as error:
        messages.error(request, str(error))
        return back(sale)
    title = _("Another rate for “%(sale)s”") % {"sale": sale.title}
    now = _("It serves %(pace)s now.") % {"pace": pace(sale.rate)}
    more = {"title": title, "form": form, "now": now, "seen": audit.latest(sale)}
    return render(request, "flashsale/admin/rate.html", page(request, site, sale, **more, **then))


def _then(sale: Sale, rate: int | None) -> dict[str, Any]:
    line = pacing.look(sale)
    effects = pacing.effects(line, sale, rate) if line else [_("Nobody waits in line now.")]
    button = _("Serve %(after)s, not %(before)s") % {"after": pace(rate), "before": pace(sale.rate)}
    return {"effects": effects, "button": button, "rate": rate or ""}


def _set(request: HttpRequest, sale: Sale, rate: int | None, seen: int | None) -> HttpResponse:
    before = sale.rate
    said = pacing.set_rate(sale=sale, rate=rate, by=operator(request), seen=seen)
    url = reverse("admin:sale-rate", args=[sale.pk], query={"rate": before or ""})
    undo = _("Back to %(before)s…") % {"before": pace(before)}
    messages.success(request, format_html('{} <a class="underline" href="{}">{}</a>', said, url, undo))
    return back(sale)
