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
from flashsale.rehearsal import door, kept, playing, report, verdict
from flashsale.rehearsal.verdict import Outcome
from flashsale.tasks import play_rehearsal

MOST, MOST_LET_IN = 100_000, 8_000
"""People; beside a farm the shop lets everybody in first, and all is over before `kept.DEAD_AFTER`."""
SHOWN = 5


def _number(label: Any, initial: int, least: int, most: int, **more: Any) -> forms.IntegerField:
    widget = UnfoldAdminIntegerFieldWidget
    return forms.IntegerField(
        label=label, initial=initial, min_value=least, max_value=most, widget=widget, **more
    )


class CastForm(forms.Form):
    """Who comes; a farm is one shopper with many accounts, in one network."""

    shoppers = _number(gettext_lazy("Shoppers"), 2_000, 1, MOST)
    bots = _number(gettext_lazy("Bots among them, in percent"), 5, 0, 100)
    pay = _number(gettext_lazy("Who means to pay, in percent"), 80, 0, 100)
    seconds = _number(gettext_lazy("Seconds that it is open"), 60, 5, 600)
    farm = _number(
        gettext_lazy("Accounts of a farm, beside them"),
        0,
        0,
        MOST_LET_IN,
        required=False,
        help_text=gettext_lazy(
            "One shopper with so many accounts, in one network. The shop itself then lets everybody in, about"
            " 40 a second, before the copy opens; the verdict says by which factor the farm was slowed."
            " 0: none."
        ),
    )
    browsers = _number(
        gettext_lazy("Browsers of the farm"),
        1,
        1,
        MOST_LET_IN,
        required=False,
        help_text=gettext_lazy(
            "From one for all of its accounts to one for each: a limit counts by browser."
        ),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse a farm that cannot be played, at the field that is to be changed."""
        typed = super().clean() or self.cleaned_data
        farm, shoppers = typed.get("farm") or 0, typed.get("shoppers") or 0
        if farm and (typed.get("browsers") or 1) > farm:
            self.add_error("browsers", _("The farm has more browsers than accounts: at most one for each."))
        if farm and shoppers + farm > MOST_LET_IN:
            sentence = _("Beside a farm at most %(most)d come in all, its accounts among them.")
            self.add_error("farm", sentence % {"most": MOST_LET_IN})
        if farm and not door.is_here(playing.own_gate()):
            self.add_error("farm", _("A farm is rehearsed where worker and shop run on the same machine."))
        return typed

    def cast(self) -> dict[str, Any]:
        """What `Cast` takes."""
        typed = self.cleaned_data
        farm = typed["farm"] or 0
        browsers = (typed["browsers"] or 1) if farm else 1
        shares = {"bots": typed["bots"] / 100, "pay": typed["pay"] / 100}
        return {**typed, **shares, "farm": farm, "browsers": browsers}


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
            audit.note(sale=sale, by=by, what=_said(row.cast))
            play_rehearsal.delay(row.pk)
        return redirect(request.path)
    shown = [told(row) for row in sale.rehearsed.select_related("by")[:SHOWN]]
    context = page(request, site, sale, form=form, rehearsals=shown, running=running)
    context["title"] = _("Rehearse “%(sale)s”") % {"sale": sale.title}
    return render(request, "flashsale/cockpit/rehearse.html", context)


def _said(cast: dict[str, Any]) -> str:
    """What the audit log says of a rehearsal."""
    values = {"n": cast["shoppers"], "farm": cast["farm"]}
    if not cast["farm"]:
        return _("Rehearsed with %(n)d shoppers.") % values
    return _("Rehearsed with %(n)d shoppers and a farm of %(farm)d accounts.") % values


def told(row: Rehearsal) -> dict[str, Any]:
    """Return what the page says of a rehearsal."""
    if row.outcome is None:
        return {"row": row, "total": kept.everybody(row), "done": kept.progress(row)}
    seen = Outcome(**row.outcome)
    found = verdict.findings(row.sale, seen)
    facts = report.figures(row.sale, seen)
    return {"row": row, "findings": found, "verdict": verdict.verdict(found), "facts": facts}
