"""Entry to a sale: login, eligibility, a proof that one is human, and then the pass."""

from datetime import timedelta

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts import devices, next_page
from accounts.limits import Limit, Tries, begin_at_nought, client_address, count, too_many
from accounts.models import User
from flashsale import arrival, eligibility, entry, entry_link, entry_page, refusals
from flashsale.eligibility import Refusal
from flashsale.entry_page import Known, form_of
from flashsale.models import Sale
from flashsale.rehearsal import shadow
from shop.orders.progress import masked

TRIES = Limit("sale entry account", "user", "10/5m")
CHANGES = Limit("sale entry change", "user", "30/5m")
DEVICE = Limit("sale entry device", "device", "30/5m")
"""Three people at one browser with all their tries; of more accounts there, the others wait."""
ADDRESS = Limit("sale entry address", "ip", "60/m")
ANSWER, CHANGE = (TRIES, DEVICE, ADDRESS), (CHANGES, ADDRESS)
LINKS = Limit("sale entry link", "user", "5/1h")
begin_at_nought(*ANSWER, CHANGES, LINKS)
TYPED = ("captcha", "captcha_key", "answer")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sale_enter(request: HttpRequest, slug: str) -> HttpResponse:
    """Let the shopper in, or say why not: refused is a page with the person's own reason."""
    known, tries = entry_page.recent(slug), None
    lists = arrival.look(request, sale=known.sale)
    user = request.user
    if known.sale.rehearsal_of_id and not shadow.is_of_cast(known.sale, user):
        raise Http404
    if not isinstance(user, User):
        return _log_in_first(request, known.sale)
    if request.method == "POST":
        tries = count(request, *(CHANGE if _way(request, known) else ANSWER))
        if tries.left < 0:
            refusals.count(sale=known.sale, limits=tries.refused_by)
            return too_many(request, seconds=tries.seconds)
    if known.sale.phase == "ended":
        messages.info(request, _("This sale has ended; nobody can enter it any more."))
        return redirect(known.sale)
    refusal = eligibility.why_not(user=user, sale=known.sale, now=timezone.now(), lists=lists)
    if refusal is not None:
        return refused(request, known.sale, refusal)
    return _asked(request, known) if tries is None else _answered(request, user, known, tries)


def _log_in_first(request: HttpRequest, sale: Sale) -> HttpResponse:
    """Lead to the login and back; whoever comes with a link is told which account it is for."""
    holder = entry_link.holder(request.GET.get("link", ""), sale=sale)
    if holder is None:
        return redirect_to_login(request.get_full_path())
    return _of_another(request, sale, holder)


def _of_another(request: HttpRequest, sale: Sale, holder: int) -> HttpResponse:
    """Say whose link it is to a browser in which nobody, or somebody else, is logged in."""
    email = get_object_or_404(User, pk=holder).email
    context = {"sale": sale, "email": masked(email), "section": "sales"}
    return render(request, "flashsale/entry_link.html", context)


def refused(request: HttpRequest, sale: Sale, refusal: Refusal) -> HttpResponse:
    """Draw the reason of one person, 403."""
    context = {"sale": sale, "refusal": refusal, "section": "sales"}
    return render(request, "flashsale/refused.html", context, status=403)


def _asked(request: HttpRequest, known: Known) -> HttpResponse:
    """Give the page to somebody who has not answered yet, or who comes by the link of a mail."""
    token = request.GET.get("link", "")
    if not token:
        return entry_page.first(request, known)
    holder = entry_link.holder(token, sale=known.sale)
    if holder not in (None, request.user.pk):
        return _of_another(request, known.sale, holder)
    told = {"link": token} if holder else {"link_ended": True}
    return entry_page.draw(request, known, form_of(request, known), **told)


def _answered(request: HttpRequest, user: User, known: Known, tries: Tries) -> HttpResponse:
    """Let in whoever was right in one way; draw the page again for whoever was not, or asked for another."""
    way = _way(request, known)
    if way == "new":
        kept = ("answer",) if len(known.questions) == 1 else ()
        return entry_page.draw(request, known, form_of(request, known, step=1, kept=kept), is_new=True)
    if way == "link":
        told = _mailed(request, user, known.sale)
        return entry_page.draw(request, known, form_of(request, known, kept=TYPED), **told)
    form = form_of(request, known, data=request.POST)
    if entry.has_entered(request=request, sale=known.sale) or form.is_valid():
        return _let_in(request, user, known.sale)
    refusals.count(sale=known.sale, limits=form.missed)
    until = timezone.now() + timedelta(seconds=tries.seconds)
    return entry_page.draw(request, known, form, left=tries.left, left_until=until)


def _way(request: HttpRequest, known: Known) -> str:
    """Name the other way in that is asked for, "new" or "link"; empty where this is an answer."""
    way = request.POST.get("way", "") if known.has_check else ""
    return way if way in ("new", "link") else ""


def _mailed(request: HttpRequest, user: User, sale: Sale) -> dict[str, object]:
    """Send the link, unless so many were sent; return what the page says of it."""
    now, tries = timezone.now(), count(request, LINKS)
    if tries.left < 0:
        refusals.count(sale=sale, limits=tries.refused_by)
        return {"no_link_until": now + timedelta(seconds=tries.seconds)}
    entry_link.send(user=user, sale=sale, now=now)
    return {"sent_to": masked(user.email), "link_until": now + entry_link.LIFE}


def _let_in(request: HttpRequest, user: User, sale: Sale) -> HttpResponse:
    pages = sale.get_absolute_url()  # they say that he is in, as long as he is
    response = HttpResponseRedirect(next_page.wanted(request) or pages)
    entry.let_in(response=response, user=user, sale=sale, pages=pages)
    entry.remember(user=user, sale=sale, address=client_address(request))
    if not devices.mark(request):
        devices.remember(request, response, email=user.email)
    return response
