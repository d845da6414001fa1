"""The page of a sale as shoppers will see it in each of its states; nothing is read or written for it."""

import time
from copy import copy
from datetime import timedelta

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
from flashsale.queue import Queue, Segment
from flashsale.showing import Own, Shown, ShownItem

STATES = {
    "before": ("coming", _("Before it opens")),
    "open": ("running", _("Open, units left")),
    "line": ("running", _("Open, people wait in line")),
    "standby": ("running", _("Open, only standby is left")),
    "sold-out": ("running", _("Sold out")),
    "paused": ("paused", _("Paused")),
    "ended": ("ended", _("Ended")),
}
IN_LINE = 5_000


def shown(sale: Sale, state: str) -> Shown:
    """Return the sale as it would be shown in a state; raises KeyError for an unknown one."""
    phase, _word = STATES[state]
    played = _moved(sale, phase)
    free = {"before": 1.0, "open": 0.6, "line": 0.6, "paused": 0.6}.get(state, 0.0)
    places = sale.standby_size if state not in ("sold-out", "ended") else 0
    items = []
    for item in sale.items.all():
        item.sale = played
        items.append(ShownItem(item, int(item.quantity * free), places, Own()))
    now = int(time.time() * 1000)
    queue = None
    if state == "line" and sale.rate:
        schedule = [Segment(now, 0, sale.rate)]
        queue = Queue(schedule, IN_LINE, sale.rate, sale.queue_limit, sale.tie_band, sale.shuffle_at_open, "")
    pause = Told(timezone.now(), "", timezone.now() + pauses.NEWS_WITHIN) if phase == "paused" else None
    return Shown(played, phase, items, knows_stock=True, now=now, queue=queue, pause=pause)


def _moved(sale: Sale, phase: str) -> Sale:
    """Return a copy of the sale, not to be saved, whose times put it into a phase now."""
    played, now, length = copy(sale), timezone.now(), sale.closes_at - sale.opens_at
    played.state = Sale.State.CLOSED if phase == "ended" else Sale.State.SCHEDULED
    played.paused = phase == "paused"
    if phase == "coming":
        played.opens_at = max(sale.opens_at, now + timedelta(minutes=1))
    else:
        played.opens_at = now - (length + timedelta(minutes=1) if phase == "ended" else timedelta(minutes=1))
    played.closes_at = played.opens_at + max(length, timedelta(minutes=2))
    return played


@require_safe
def preview(request: HttpRequest, pk: int, state: str) -> HttpResponse:
    """Draw the sale's page in a state, as a guest sees it."""
    watcher(request)
    sale = get_object_or_404(showing.with_items(Sale.objects.filter(deleted_at=None)), pk=pk)
    if state not in STATES:
        raise Http404
    request.user = AnonymousUser()  # only for the templates: the page is the guest's
    found = shown(sale, state)
    context = {
        "shown": found,
        "sale": found.sale,
        "offers": offers.of(found),
        "arrives": showing.arrives(found.sale),
        "entered": state != "before",
        "now": timezone.now(),
        "refresh": None,
        "section": "sales",
        "preview": state,
        "real": sale,
        "states": [(name, word) for name, (_phase, word) in STATES.items()],
    }
    return render(request, "flashsale/cockpit/preview.html", context)
