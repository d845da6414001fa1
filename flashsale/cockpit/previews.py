"""The page of a sale as shoppers will see it in each of its states; nothing is read or written for it."""

import time
from copy import copy
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from flashsale import offers, pauses, showing
from flashsale.cockpit.live import watcher
from flashsale.models import Sale
from flashsale.pauses import Told
from flashsale.queue import Queue, Segment, Ticket
from flashsale.showing import Own, Shown, ShownItem
from flashsale.views_line import Place

STATES = {
    "before": ("coming", _("Before it opens")),
    "open": ("running", _("Open, units left")),
    "line": ("running", _("In line")),
    "standby": ("running", _("Open, only standby is left")),
    "sold-out": ("running", _("Sold out")),
    "paused": ("paused", _("Paused")),
    "ended": ("ended", _("Ended")),
}
AHEAD = 5_000
"""People before the one whose place in line is shown."""
A_WHILE = timedelta(minutes=1)


def states(sale: Sale) -> dict[str, Any]:
    """Return the states that this sale can come into, each with its word."""
    left_out = {"line": not sale.rate, "standby": not sale.standby_size}
    return {name: word for name, (_phase, word) in STATES.items() if not left_out.get(name)}


class Moment(forms.Form):
    """A moment in the life of a sale, in the zone of the shop."""

    at = forms.DateTimeField(
        label=_("Or as planned for a moment, by the shop's clock"),
        widget=forms.DateTimeInput({"type": "datetime-local", "step": 1}, format="%Y-%m-%dT%H:%M:%S"),
        error_messages={
            "required": _("Write a date and a time."),
            "invalid": _("Write a date and a time, such as 2030-01-31T18:00."),
        },
    )


def state_at(sale: Sale, at: datetime) -> str:
    """Name the state in which a sale is at a moment by its plan alone: what the crowd does is not planned."""
    return "before" if at < sale.opens_at else "open" if at < sale.closes_at else "ended"


def shown(sale: Sale, state: str, at: datetime | None = None) -> Shown:
    """Return the sale as it would be shown in a state, now or `at`; raises KeyError for an unknown one."""
    phase, _word = STATES[state]
    played = _played(sale, phase, at)
    free = {"before": 1.0, "open": 0.6, "line": 0.6, "paused": 0.6}.get(state, 0.0)
    places = sale.standby_size if state not in ("sold-out", "ended") else 0
    items = []
    for item in sale.items.all():
        item.sale = played
        items.append(ShownItem(item, int(item.quantity * free), places, Own()))
    now = int((at.timestamp() if at else time.time()) * 1000)
    queue = None
    if state == "line" and sale.rate:
        schedule = [Segment(now, 0, sale.rate)]
        queue = Queue(schedule, AHEAD, sale.rate, sale.queue_limit, sale.tie_band, sale.shuffle_at_open, "")
    since = max(played.opens_at + A_WHILE, timezone.now())
    pause = Told(since, "", since + pauses.NEWS_WITHIN) if phase == "paused" else None
    return Shown(played, phase, items, knows_stock=True, now=now, queue=queue, pause=pause)


def _played(sale: Sale, phase: str, at: datetime | None) -> Sale:
    """Return a copy of the sale, not to be saved, in a phase.

    Its times are the planned ones: they are part of what is looked at. Only an opening that has passed is put
    off where the page counts down to it from now.
    """
    played, soon = copy(sale), timezone.now() + A_WHILE
    played.state = Sale.State.CLOSED if phase == "ended" else Sale.State.SCHEDULED
    played.paused = phase == "paused"
    if at is None and phase == "coming" and sale.opens_at < soon:
        played.opens_at, played.closes_at = soon, soon + (sale.closes_at - sale.opens_at)
    return played


@require_safe
def preview(request: HttpRequest, pk: int, state: str) -> HttpResponse:
    """Draw the sale's page in a state, as a guest sees it; where he waits, the page of his place in line.

    With `?at=` it is the page as planned for that moment, whatever the state.
    """
    watcher(request)
    sale = get_object_or_404(showing.with_items(Sale.objects.filter(deleted_at=None)), pk=pk)
    if state not in states(sale):
        raise Http404
    request.user = AnonymousUser()  # only for the templates: the page is the guest's
    asked = Moment(request.GET if "at" in request.GET else None, initial={"at": sale.opens_at})
    at = asked.cleaned_data["at"] if asked.is_valid() else None
    state = state_at(sale, at) if at else state
    found = shown(sale, state, at)
    context = {
        "page": "flashsale/waiting.html" if state == "line" else "flashsale/sale.html",
        "shown": found,
        "sale": found.sale,
        "offers": offers.of(found),
        "arrives": showing.arrives(found.sale, at),
        "entered": state != "before",
        "now": at or timezone.now(),
        "moment": asked,
        "refresh": None,
        "section": "sales",
        "preview": state,
        "real": sale,
        "states": states(sale).items(),
        **(_place(found) if state == "line" else {}),
    }
    return render(request, "flashsale/cockpit/preview.html", context)


def _place(found: Shown) -> dict[str, Any]:
    """What the page of the line shows besides: a place behind many others."""
    queue = found.queue
    if queue is None or not found.items:
        raise Http404
    ticket = Ticket(AHEAD + 1, found.now + AHEAD * 1000 // (queue.rate or 1))
    left = sum(one.free or 0 for one in found.items)
    return {"found": found.items[0], "place": Place.of(ticket, queue, found.now), "units_left": left}
