"""A shopper's own reservations and standby places."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from redis.exceptions import RedisError

from accounts.models import User
from flashsale import eligibility, receipts, recording, showing, standby
from flashsale import reservations as ending
from flashsale.models import Reservation, StandbyEntry
from flashsale.views import refresh
from shop.orders import progress, shipping
from shop.orders.errors import NotCancellable
from shop.orders.models import Order
from shop.orders.progress import Money

REFRESH_SECONDS = 5
LOOKS_AGAIN = {"paying": 15, "late": 5}
"""Seconds until a page without script looks again; where something can be pressed to pay, it never does."""
SHOWN_AT_MOST = 100


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - behind login_required; tells the type checker
    return request.user


@never_cache
@require_safe
@login_required
def reservations(request: HttpRequest) -> HttpResponse:
    """Every unit the shopper holds or held, and where he stands by."""
    parts = "item__sale", "item__variant__product"
    rows = Reservation.objects.filter(user=_user(request)).select_related("order", *parts)
    waits = StandbyEntry.objects.filter(user=_user(request), status=StandbyEntry.Status.WAITING)
    places = standby.positions(waits.select_related(*parts))
    context = {"rows": rows[:SHOWN_AT_MOST], "places": places, "section": "sales"}
    return render(request, "flashsale/reservations.html", context)


@never_cache
@require_safe
@login_required
def reservation(request: HttpRequest, rid: str) -> HttpResponse:
    """One reservation: until when, what it costs, pay or give back, or how it ended."""
    rows = Reservation.objects.select_related("order", "item__sale", "item__variant__product")
    names = [rid, recording.second_name(rid, _user(request).pk)]
    found = rows.filter(user=_user(request), rid__in=names).first()
    if found is None:
        return _preparing(request, rid)
    money = progress.money(found.order) if found.order else Money("")
    state = _state(found, money)
    context: dict[str, object] = {
        "reservation": found,
        "state": state,
        "money": money,
        "sale": found.item.sale,
    }
    context |= {"now": timezone.now(), "section": "sales"}
    context["refresh"] = refresh(request, LOOKS_AGAIN.get(state))
    if found.order:
        context |= _of_order(found.order, found)
    if state == Reservation.Status.REFUSED:
        user, sale = _user(request), found.item.sale
        context["refusal"] = eligibility.why_not(user=user, sale=sale, now=timezone.now())
    return render(request, "flashsale/reservation.html", context)


def _state(found: Reservation, money: Money) -> str:
    """Name what the page says: the status; of a held unit also paying, failed, or late (time is over)."""
    if found.status != Reservation.Status.HELD:
        return found.status
    if not found.time_left:
        return "late"
    return {"asking": "paying", "refused": "failed"}.get(money.state, "held")


def _of_order(order: Order, found: Reservation) -> dict[str, object]:
    kinds = {found.item.variant.product.kind}
    return {
        "order": order,
        "email": progress.masked(order.email),
        "steps": progress.steps(order, kinds),
        "variants": list(settings.PAYMENT_VARIANTS),
        "needs_address": found.item.is_shipped and not order.line1,
        "arrives": shipping.when_it_comes(order) if found.item.is_shipped else "",
    }


def _preparing(request: HttpRequest, rid: str) -> HttpResponse:
    """The store has reserved, the worker has not written the row yet; 404 for what nobody knows.

    Without the store nobody can say whose it is: that is 503, not 404.
    """
    try:
        sale = showing.sale_of_held(rid=rid, user_id=_user(request).pk)
    except RedisError:
        is_known, sale = False, None
    else:
        is_known = True
    if is_known and sale is None:
        # The store is there and does not know it: it never was, or the store has lost it.
        token = request.COOKIES.get(settings.RECEIPT_COOKIE, "")
        if receipts.honour(user_id=_user(request).pk, rid=rid, token=token):
            return redirect("reservation", rid=rid)
        raise Http404
    context = {
        "rid": rid,
        "is_known": is_known,
        "sale": sale,
        "item": rid.partition("-")[0],
        "section": "sales",
    }
    context["refresh"] = refresh(request, REFRESH_SECONDS)
    response = render(request, "flashsale/preparing.html", context, status=200 if is_known else 503)
    if not is_known:
        response["Retry-After"] = str(REFRESH_SECONDS)
    return response


@never_cache
@require_POST
@login_required
def give_back(request: HttpRequest, rid: str) -> HttpResponse:
    """Give a unit back before it is paid; it goes to the next at once."""
    get_object_or_404(Reservation, user=_user(request), rid=rid, order__isnull=False)
    try:
        ending.give_back(user=_user(request), rid=rid)
    except NotCancellable as error:
        messages.info(request, str(error))
    else:
        messages.success(request, _("You gave it back. It goes to the next person at once."))
    return redirect("reservation", rid=rid)
