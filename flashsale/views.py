"""The pages of sales. A sale's own page carries the shopper's state: only that of guests may be shared."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from flashsale import entry, offers, showing
from flashsale.models import Sale
from flashsale.showing import Shown
from shop.public import public_page, share_with_guests

GUESTS_SEE = 1
"""Seconds for which guests may be shown the same page of a sale: what is left on it changes fast."""


def found_sale(slug: str) -> Sale:
    """Return the sale at this address with its items; 404 for drafts."""
    return get_object_or_404(showing.with_items(showing.public()), slug=slug)


def shopper(request: HttpRequest) -> User | None:
    """Return who is logged in, None for a guest."""
    return request.user if isinstance(request.user, User) else None


def refresh(request: HttpRequest, seconds: float | None) -> int | None:
    """Return after how many seconds a page without script looks again (5 to 60); None where it never does."""
    if seconds is None or request.GET.get("refresh") == "no":
        return None
    return int(min(60, max(5, seconds)))


def _look_again(shown: Shown) -> float | None:
    """Seconds until this page is likely to change; a page with buttons never reloads under the finger."""
    if shown.phase == "coming":
        return (shown.sale.opens_at - timezone.now()).total_seconds()
    return 15 if shown.phase == "paused" else None


@require_safe
@public_page
def sales(request: HttpRequest) -> HttpResponse:
    """Running, coming and past sales."""
    return render(request, "flashsale/sales.html", {"board": showing.board(), "section": "sales"})


@require_safe
def sale(request: HttpRequest, slug: str) -> HttpResponse:
    """One sale: when it opens, what is in it, what is left, and the button for whoever has entered."""
    found = found_sale(slug)
    user = shopper(request)
    shown = showing.show(sale=found, user=user)
    has_entered = user is not None and entry.has_entered(request=request, sale=found)
    context = {
        "shown": shown,
        "sale": found,
        "offers": offers.of(shown),
        "arrives": showing.arrives(found),
        "entered": has_entered,
        "now": timezone.now(),
        "refresh": refresh(request, _look_again(shown)),
        "section": "sales",
    }
    response = render(request, "flashsale/sale.html", context)
    if user is not None and has_entered:
        response["X-Entered"] = f"{found.pk}.{user.pk}"  # to the edge only, which counts who waits
    share_with_guests(request, response, seconds=GUESTS_SEE)
    return response
