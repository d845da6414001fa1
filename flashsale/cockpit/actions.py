"""What an operator does to a running sale: each says first what follows, then calls what a command calls."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import User
from flashsale import audit, operating, pacing
from flashsale.admin_views import find_sale, operator, page
from flashsale.cockpit import shopper
from flashsale.cockpit.figures import both_zones
from flashsale.cockpit.forms import ActionForm
from flashsale.cockpit.live import watched, watcher
from flashsale.cockpit.pausing import WhyForm
from flashsale.errors import SaleError
from flashsale.models import Reservation, Sale, SaleItem, StandbyEntry

REASONS = (
    ("", _("Choose a reason")),
    ("asked", _("The shopper asked for it")),
    ("abuse", _("Misuse")),
    ("error", _("A mistake of ours")),
    ("other", _("Another one, said below")),
)


class OpenForm(ActionForm):
    """Open now."""

    title, button = _("Open “%(sale)s” now"), _("Open it now")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        planned = gettext("It was to open %(time)s.") % {"time": both_zones(self.sale.opens_at)}
        whom = gettext("Whoever has entered may try at once; nobody is told by mail.")
        self.effects = [
            planned,
            whom,
            gettext("It cannot be closed again and opened later, but it can be paused."),
        ]

    def act(self, by: Any, seen: int | None) -> str:
        """Open it."""
        return operating.open_now(sale=self.sale, by=by, seen=seen)


class EndForm(ActionForm):
    """End later, or earlier."""

    title, button = _("Move the end of “%(sale)s”"), _("Move the end")
    closes_at = forms.SplitDateTimeField(
        label=_("New end"),
        widget=UnfoldAdminSplitDateTimeWidget,
        error_messages={"invalid": _("Write a date and a time."), "required": _("Write a date and a time.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("closes_at", self.sale.closes_at)
        now = gettext("It ends %(time)s now.") % {"time": both_zones(self.sale.closes_at)}
        zone = gettext("The time is in %(zone)s.") % {"zone": timezone.get_current_timezone_name()}
        late = gettext("Whoever holds a unit keeps the deadline, however the end moves.")
        self.effects = [now, zone, late]

    def act(self, by: Any, seen: int | None) -> str:
        """Move it."""
        closes_at: datetime = self.cleaned_data["closes_at"]
        return operating.move_end(sale=self.sale, closes_at=closes_at, by=by, seen=seen)


class UnitsForm(ActionForm):
    """Some units of one item; `too_few` is said to whoever names none."""

    too_few: Any
    item = forms.ModelChoiceField(
        SaleItem.objects.none(), label=_("Item"), empty_label=None, widget=UnfoldAdminSelectWidget
    )
    units = forms.IntegerField(
        label=_("Units"),
        min_value=1,
        max_value=1_000_000,
        widget=UnfoldAdminIntegerFieldWidget,
        error_messages={"invalid": _("Write a whole number such as 50.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["item"].queryset = self.sale.items.select_related("sale", "variant__product")  # type: ignore[attr-defined]
        self.fields["units"].error_messages["min_value"] = self.too_few


class AddForm(UnitsForm):
    """More units."""

    title, button = _("Add units to “%(sale)s”"), _("Add the units")
    too_few = _("Add at least one unit.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.effects = [_stock_of(item) for item in self.sale.items.all()]
        waiting = StandbyEntry.objects.filter(
            item__sale=self.sale, status=StandbyEntry.Status.WAITING
        ).count()
        sentence = ngettext(
            "%(n)s person is on standby and gets the first of them.",
            "%(n)s people are on standby and get the first of them.",
            waiting,
        )
        self.effects.append(sentence % {"n": pacing.number(waiting)})

    def act(self, by: Any, seen: int | None) -> str:
        """Add them."""
        item, units = self.cleaned_data["item"], self.cleaned_data["units"]
        return operating.add_units(item=item, units=units, by=by, seen=seen)


class TakeForm(UnitsForm):
    """Fewer units."""

    title, button = _("Take units out of “%(sale)s”"), _("Take the units back")
    too_few = _("Take at least one unit.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.effects = [_free_of(item) for item in self.sale.items.all()]
        self.effects += [
            gettext("Only units that nobody holds or has paid leave the sale; at least one stays."),
            gettext("If shoppers take some of them in this moment, fewer come back. The answer says so."),
        ]

    def act(self, by: Any, seen: int | None) -> str:
        """Take them."""
        item, units = self.cleaned_data["item"], self.cleaned_data["units"]
        return operating.take_units(item=item, units=units, by=by, seen=seen)


class ResumeForm(ActionForm):
    """Let it go on."""

    title, button = _("Let “%(sale)s” go on"), _("Resume the sale")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        items = list(self.sale.items.all())
        free, held = sum(item.free for item in items), sum(item.held for item in items)
        could_try = ngettext(
            "%(n)s unit is free: whoever has entered may try for it at once.",
            "%(n)s units are free: whoever has entered may try for them at once.",
            free,
        )
        go_on = ngettext(
            "%(n)s shopper holds a unit; that deadline went on during the pause and stays as it is.",
            "%(n)s shoppers hold a unit; their deadlines went on during the pause and stay as they are.",
            held,
        )
        line = pacing.resume_effect(self.sale) or gettext("Nobody waits in line.")
        self.effects = [line, could_try % {"n": pacing.number(free)}, go_on % {"n": pacing.number(held)}]
        self.effects.append(gettext("It can be paused again at any time, by one press."))

    def act(self, by: Any, seen: int | None) -> str:
        """Resume it."""
        return operating.resume(sale=self.sale, by=by, seen=seen)


class CloseForm(ActionForm):
    """End it: this cannot be undone, so its name is typed."""

    title = _("End “%(sale)s” now")
    name = forms.CharField(label=_("The name of the sale"), widget=UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        items = list(self.sale.items.all())
        held, free = sum(item.held for item in items), sum(item.free for item in items)
        waiting = pacing.waiting(self.sale)
        told = ngettext(
            "%(n)s person waits in line and is told.", "%(n)s people wait in line and are told.", waiting
        )
        keep = ngettext("%(n)s shopper keeps a deadline.", "%(n)s shoppers keep their deadlines.", held)
        back = ngettext(
            "%(n)s free unit returns to ordinary stock.", "%(n)s free units return to ordinary stock.", free
        )
        self.effects = [told % {"n": pacing.number(waiting)}] if waiting else []
        self.effects += [keep % {"n": pacing.number(held)}, back % {"n": pacing.number(free)}]
        self.effects.append(gettext("Standby is over. This cannot be undone."))
        button = ngettext("End the sale, tell %(n)s person", "End the sale, tell %(n)s people", waiting)
        self.button = button % {"n": pacing.number(waiting)} if waiting else gettext("End the sale")

    def clean_name(self) -> str:
        """Refuse any other name."""
        name: str = self.cleaned_data["name"]
        if name.strip().casefold() != self.sale.title.strip().casefold():
            raise forms.ValidationError(gettext("This is not the name of this sale. Nothing was done."))
        return name

    def act(self, by: Any, seen: int | None) -> str:
        """End it."""
        return operating.close(sale=self.sale, by=by, seen=seen)


def _free_of(item: SaleItem) -> str:
    sentence = gettext(
        "%(variant)s: %(free)s of %(quantity)s units in the sale are free, %(stock)s in ordinary stock."
    )
    values = {name: pacing.number(getattr(item, name)) for name in ("free", "quantity")}
    return sentence % {"variant": item.variant, "stock": pacing.number(item.variant.stock), **values}


def _stock_of(item: SaleItem) -> str:
    sentence = gettext("%(variant)s: %(stock)s in ordinary stock, %(quantity)s in the sale.")
    values = {"stock": pacing.number(item.variant.stock), "quantity": pacing.number(item.quantity)}
    return sentence % {"variant": item.variant, **values}


class ReleaseForm(ActionForm):
    """One unit of one shopper."""

    title, button = _("Release one reservation of “%(sale)s”"), _("Release it")
    rid = forms.CharField(
        label=_("Reservation or e-mail address"), max_length=254, widget=UnfoldAdminTextInputWidget
    )
    reason = forms.ChoiceField(label=_("Reason"), choices=REASONS, widget=UnfoldAdminSelectWidget)
    words = forms.CharField(
        label=_("In words"), required=False, max_length=200, widget=UnfoldAdminTextInputWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        gone = gettext("The shopper loses the unit and is told by mail; the order is cancelled.")
        self.effects = [gone, gettext("The unit goes to the next on standby. This cannot be undone.")]

    def clean(self) -> dict[str, Any]:
        """Find the one reservation that is meant."""
        cleaned = super().clean() or self.cleaned_data
        held = Reservation.objects.filter(item__sale=self.sale, status=Reservation.Status.HELD)
        rows = held.select_related("order", "user", "item__sale")
        wanted = cleaned.get("rid", "").strip().lower()
        cleaned["row"] = rows.filter(rid=wanted).first() or rows.filter(user__email=wanted).first()
        if wanted and cleaned["row"] is None:
            self.add_error("rid", gettext("Nobody holds a unit of this sale under this name."))
        if cleaned.get("reason") == "other" and not cleaned.get("words", "").strip():
            self.add_error("words", gettext("Say the reason in words."))
        return cleaned

    def act(self, by: Any, seen: int | None) -> str:  # noqa: ARG002 - the row itself tells
        """Release it."""
        chosen = str(dict(REASONS)[self.cleaned_data["reason"]])
        typed = self.cleaned_data["words"].strip()
        reason = f"{chosen}: {typed}" if typed else chosen
        return operating.release(row=self.cleaned_data["row"], reason=reason, by=by)


FORMS: dict[str, type[ActionForm]] = {
    "open": OpenForm,
    "end": EndForm,
    "add": AddForm,
    "take": TakeForm,
    "why": WhyForm,
    "resume": ResumeForm,
    "release": ReleaseForm,
    "close": CloseForm,
}


@require_http_methods(["GET", "POST"])
def action(request: HttpRequest, pk: int, verb: str, site: AdminSite) -> HttpResponse:
    """Say what follows; once confirmed, do it, unless somebody did something since."""
    sale, by = _allowed(request, pk, verb)
    kind = FORMS[verb]
    initial = {"seen": audit.latest(sale), "rid": request.GET.get("rid", "")}
    form = kind(request.POST if request.method == "POST" else None, sale=sale, initial=initial)
    if request.method == "POST" and form.is_valid():
        return told(request, sale, lambda: form.act(by, form.cleaned_data["seen"]))
    words: Any = form
    context = page(request, site, sale, form=form, effects=form.effects, back=live_url(sale))
    context |= {
        "title": words.title % {"sale": sale.title},
        "button": words.button,
        "is_final": verb in ("release", "close"),
    }
    return render(request, "flashsale/admin/confirm.html", context)


def _allowed(request: HttpRequest, pk: int, verb: str) -> tuple[Sale, User]:
    """Return the sale and who acts: operators do everything, support may release. Raises PermissionDenied."""
    if verb == "release" and shopper.may_help(request):
        return watched(request, pk), watcher(request)
    return find_sale(request, pk), operator(request)


def told(request: HttpRequest, sale: Sale, act: Callable[[], str]) -> HttpResponse:
    """Do something and return to the live page with what it said, or with why nothing was done."""
    try:
        messages.success(request, act())
    except SaleError as error:
        messages.error(request, str(error))
    if sale.state == Sale.State.DRAFT:
        return redirect("admin:flashsale_sale_change", sale.pk)
    return redirect(live_url(sale))


def live_url(sale: Sale) -> str:
    """The address of a sale's live page."""
    return reverse("admin:sale-live", args=[sale.pk])
