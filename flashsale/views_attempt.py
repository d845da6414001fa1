"""The attempt as an ordinary form, its result, and leaving standby: a sale can be won without JavaScript."""

from contextlib import suppress
from datetime import UTC, datetime

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from redis.exceptions import RedisError

from accounts.limits import too_many
from accounts.models import User
from flashsale import eligibility, pauses, receipts, showing, standby, stock, views_line
from flashsale import entry as entering
from flashsale.models import Reservation, Sale, SaleItem, StandbyEntry
from flashsale.replies import Answer
from flashsale.showing import Shown, ShownItem
from flashsale.views import found_sale, refresh
from flashsale.views_entry import refused
from flashsale.words import moment
from shop.orders import progress

RETRY_SECONDS = 2
STANDBY_REFRESH_SECONDS = 30
PAUSED_REFRESH_SECONDS = 15


def _item(slug: str, item: int) -> SaleItem:
    items = SaleItem.objects.select_related("sale", "variant__product")
    return get_object_or_404(items.filter(sale__in=showing.public()), sale__slug=slug, pk=item)


def _user(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - behind login_required; tells the type checker
    return request.user


@never_cache
@login_required
def sale_attempt(request: HttpRequest, slug: str, item: int) -> HttpResponse:
    """Try for one unit, by the same function of the store that the gate calls."""
    wanted = _item(slug, item)
    if request.method != "POST":  # somebody comes back here from the login
        return redirect(wanted.sale)
    return _attempt(request, wanted)


def _attempt(request: HttpRequest, wanted: SaleItem) -> HttpResponse:
    user, sale = _user(request), wanted.sale
    refusal = eligibility.why_not(user=user, sale=sale, now=timezone.now())
    if refusal is not None:
        return refused(request, sale, refusal)
    if sale.phase != "ended" and not entering.has_entered(request=request, sale=sale):
        return redirect(reverse("sale-enter", args=[sale.slug]))
    call = stock.attempt(sale.pk, [(wanted.pk, user.pk)], per_minute=settings.ATTEMPTS_PER_MINUTE)
    try:
        answer = stock.run(call).answers[0]
    except RedisError:
        answer = Answer("paused")
    with suppress(RedisError):  # only for the operators' figures
        stock.run(stock.count(sale.pk, {answer.outcome: 1}, [user.pk]))
    response = _answered(request, wanted, answer)
    if answer.outcome == "reserved":
        receipts.keep(
            response=response, sale_id=sale.pk, user_id=user.pk, rid=answer.rid, pay_by=answer.pay_by
        )
    return response


def _answered(request: HttpRequest, item: SaleItem, answer: Answer) -> HttpResponse:
    if answer.outcome == "reserved":
        return redirect("reservation", rid=answer.rid)
    if answer.outcome == "paused":
        return paused(request, item)
    if answer.outcome == "slow_down":
        return too_many(request, seconds=-(-answer.at // 1000))
    if answer.outcome == "refused":
        raise Http404
    if answer.outcome == "full":
        return views_line.full(request, item, answer)
    if answer.outcome == "not_open":
        opens_at = datetime.fromtimestamp(answer.at / 1000, tz=UTC)
        messages.info(request, _("Not yet. The sale opens %(time)s.") % {"time": moment(opens_at)})
        return redirect(item.sale)
    return redirect("sale-result", slug=item.sale.slug, item=item.pk)


def paused(request: HttpRequest, item: SaleItem) -> HttpResponse:
    """Say that nobody can reserve now, 503, and try again by itself."""
    pause = pauses.told(sale=item.sale, status=None)
    context = {"item": item, "sale": item.sale, "pause": pause, "retry_after": RETRY_SECONDS}
    context["section"] = "sales"
    response = render(request, "flashsale/paused.html", context, status=503)
    response["Retry-After"] = str(RETRY_SECONDS)
    return response


@never_cache
@require_safe
@login_required
def sale_result(request: HttpRequest, slug: str, item: int) -> HttpResponse:
    """Where the shopper stands with one item; whoever holds a unit is led to it."""
    sale, user = found_sale(slug), _user(request)
    shown = showing.show(sale=sale, user=user)
    found = next((one for one in shown.items if one.item.pk == item), None)
    if found is None:
        raise Http404
    try:
        (own,) = stock.run(stock.own(sale.pk, [item], [user.pk]))
    except RedisError:
        return paused(request, found.item)
    place = own.items.get(item)
    if place is not None and place.rid:
        return redirect("reservation", rid=place.rid)
    if place is None and views_line.goes_on(request, found.item):
        return _attempt(request, found.item)
    if place is None and own.ticket and _is_worth_waiting(shown, found):
        return views_line.waiting(request, shown=shown, found=found, ticket=own.ticket)
    entry = StandbyEntry.objects.filter(user=user, item=item).order_by("pk").last()
    row = found.own.reservation
    if place is None and row and row.status == Reservation.Status.REFUSED and _was_passed_over(entry):
        return redirect(row)
    state = _state(shown.phase, found, place, entry)
    context = {
        "shown": shown,
        "sale": sale,
        "found": found,
        "place": place,
        "entry": entry,
        "state": state,
        "email": progress.masked(user.email),
        "chance": standby.latest_chance(found.item) if state == "standby" else None,
        "gone_within": showing.gone_within(found.item) if state == "sold_out" else None,
        "refresh": refresh(request, _look_again(state, sale)),
        "section": "sales",
    }
    return render(request, "flashsale/result.html", context)


def _is_worth_waiting(shown: Shown, found: ShownItem) -> bool:
    """Whether whoever has a ticket may still get a unit of this item, or a place on standby."""
    has_queue = shown.queue is not None and shown.phase != "ended"
    return has_queue and not found.is_sold_out and not found.is_mine


def _look_again(state: str, sale: Sale) -> float | None:
    """Seconds until the page without script looks again; a short time to pay wants the quicker pace."""
    if state == "standby":
        return min(STANDBY_REFRESH_SECONDS, sale.pay_within / 10)
    return PAUSED_REFRESH_SECONDS if state == "paused" else None


def _was_passed_over(entry: StandbyEntry | None) -> bool:
    return entry is not None and entry.status == StandbyEntry.Status.REFUSED


def _state(phase: str, found: ShownItem, place: Answer | None, entry: StandbyEntry | None) -> str:
    """Name what the page says: standby, over, ended, coming, paused, sold_out, or open (one can be had)."""
    if place is not None and phase != "ended":
        return "standby"
    if _is_over(found.item, entry):
        return "over"
    if phase in ("ended", "coming", "paused"):
        return phase
    return "sold_out" if found.is_sold_out else "open"


def _is_over(item: SaleItem, entry: StandbyEntry | None) -> bool:
    """Whether this place on standby ended because all units are paid; its row may not know it yet."""
    waited = entry is not None and entry.status in (StandbyEntry.Status.WAITING, StandbyEntry.Status.CLOSED)
    return waited and item.quantity == item.paid + item.returned and item.held == 0


@never_cache
@require_POST
@login_required
def sale_leave(request: HttpRequest, slug: str, item: int) -> HttpResponse:
    """Give up a place on standby; the next moves up at once."""
    wanted = _item(slug, item)
    try:
        left = standby.leave(user=_user(request), item=wanted)
    except RedisError:
        return paused(request, wanted)
    if left:
        messages.success(request, _("You have left standby. Everybody behind you moved up."))
    else:
        messages.info(request, _("You were not on standby any more."))
    return redirect(wanted.sale)
