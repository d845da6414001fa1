"""The line: the page of whoever waits for his turn, and of whoever found the line full."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from flashsale.gate.answers import retry_ms
from flashsale.models import SaleItem
from flashsale.queue import Queue, Ticket
from flashsale.replies import Answer
from flashsale.showing import Shown, ShownItem
from flashsale.views import refresh

SALT = "line"
UNKNOWN_SECONDS = 10
LONGEST_REFRESH = 60


@dataclass(frozen=True, slots=True)
class Place:
    """A place in line as a page shows it; `turn_at` is None while it is unknown (a pause).

    `number` is 0 until the lots are drawn, at `turn_at`; `has_come` says that the turn is here or over.
    """

    number: int
    ahead: int
    served: int
    turn_at: datetime | None
    has_come: bool

    @classmethod
    def of(cls, ticket: Ticket, queue: Queue, now: int) -> "Place":
        """Work a ticket's place out at an instant (ms)."""
        served = queue.served(now)
        turn_at = datetime.fromtimestamp(ticket.turn_at / 1000, UTC) if ticket.turn_at else None
        ahead = max(0, (ticket.number - 1 if ticket.number else queue.tickets) - served)
        return cls(ticket.number, ahead, served, turn_at, 0 < ticket.number <= served)


def going_on(request: HttpRequest, item: SaleItem) -> str:
    """Return the address at which a page without script goes on by itself: its owner has pressed before."""
    token = signing.dumps([request.user.pk, item.pk], salt=SALT)
    return f"{reverse('sale-result', args=[item.sale.slug, item.pk])}?go={token}"


def goes_on(request: HttpRequest, item: SaleItem) -> bool:
    """Whether this look is one of those that a page without script was told to make."""
    try:
        known = signing.loads(request.GET.get("go", ""), salt=SALT, max_age=86_400)
    except signing.BadSignature:
        return False
    return bool(known == [request.user.pk, item.pk])


def waiting(request: HttpRequest, *, shown: Shown, found: ShownItem, ticket: Ticket) -> HttpResponse:
    """Show a place in line; without script the page looks again by itself and goes on at its turn."""
    assert shown.queue is not None  # noqa: S101 - whoever has a ticket stands in a queue
    place = Place.of(ticket, shown.queue, shown.now)
    context = {
        "shown": shown,
        "sale": shown.sale,
        "found": found,
        "place": place,
        "now": timezone.now(),
        "units_left": sum(one.free or 0 for one in shown.items),
        "refresh": None if place.has_come else refresh(request, _until(place)),
        "go": going_on(request, found.item) if _until(place) <= LONGEST_REFRESH else request.path,
        "section": "sales",
    }
    return render(request, "flashsale/waiting.html", context)


def _until(place: Place) -> float:
    """Seconds until it is worth looking again."""
    if place.turn_at is None:
        return UNKNOWN_SECONDS
    return math.ceil((place.turn_at - timezone.now()).total_seconds())


def full(request: HttpRequest, item: SaleItem, answer: Answer) -> HttpResponse:
    """Say that the line is full, 503, and try again by itself when there may be room."""
    seconds = math.ceil(retry_ms(answer) / 1000)
    context = {
        "item": item,
        "sale": item.sale,
        "retry_after": seconds,
        "refresh": refresh(request, seconds),
        "go": going_on(request, item),
        "section": "sales",
    }
    response = render(request, "flashsale/full.html", context, status=503)
    response["Retry-After"] = str(seconds)
    return response
