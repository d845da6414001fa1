"""Rehearsing a sale from the admin: who comes, a progress bar, and the verdict."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from flashsale import audit
from flashsale.admin_views import find_sale, operator, page
from flashsale.models import Rehearsal
from flashsale.rehearsal import kept, report, verdict
from flashsale.rehearsal.verdict import Outcome
from flashsale.tasks import play_rehearsal

MOST = 100_000
SHOWN = 5


def _number(label: Any, initial: int, least: int, most: int) -> forms.IntegerField:
    return forms.IntegerField(
        label=label, initial=initial, min_value=least, max_value=most, widget=UnfoldAdminIntegerFieldWidget
    )


class CastForm(forms.Form):
    """Who comes."""

    shoppers = _number(gettext_lazy("Shoppers"), 2_000, 1, MOST)
    bots = _number(gettext_lazy("Bots among them, in percent"), 5, 0, 100)
    pay = _number(gettext_lazy("Who means to pay, in percent"), 80, 0, 100)
    seconds = _number(gettext_lazy("Seconds that it is open"), 60, 5, 600)

    def cast(self) -> dict[str, Any]:
        """What `Cast` takes."""
        typed = self.cleaned_data
        return {**typed, "bots": typed["bots"] / 100, "pay": typed["pay"] / 100}


@require_http_methods(["GET", "POST"])
def rehearse(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """Start a rehearsal, watch it, read what it showed."""
    sale, by = find_sale(request, pk), operator(request)
    form = CastForm(request.POST if request.method == "POST" else None)
    running = kept.running_of(sale)
    if request.method == "POST" and form.is_valid():
        if running is not None:
            messages.error(request, _("A rehearsal of this sale is running. Wait for its end."))
        else:
            row = Rehearsal.objects.create(sale=sale, by=by, cast=form.cast())
            audit.note(
                sale=sale, by=by, what=_("Rehearsed with %(n)d shoppers.") % {"n": row.cast["shoppers"]}
            )
            play_rehearsal.delay(row.pk)
        return redirect(request.path)
    shown = [told(row) for row in sale.rehearsed.select_related("by")[:SHOWN]]
    context = page(request, site, sale, form=form, rehearsals=shown, running=running)
    context["title"] = _("Rehearse “%(sale)s”") % {"sale": sale.title}
    return render(request, "flashsale/cockpit/rehearse.html", context)


def told(row: Rehearsal) -> dict[str, Any]:
    """Return what the page says of a rehearsal."""
    if row.outcome is None:
        return {"row": row, "total": row.cast["shoppers"], "done": kept.progress(row)}
    seen = Outcome(**row.outcome)
    found = verdict.findings(row.sale, seen)
    facts = report.figures(row.sale, seen)
    return {"row": row, "findings": found, "verdict": verdict.verdict(found), "facts": facts}
