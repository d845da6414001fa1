"""Entry to a sale: login, eligibility, a proof that one is human, and then the pass."""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.limits import Limit, Tries, count, too_many
from accounts.models import User
from flashsale import eligibility, entry, entry_link, questions, showing
from flashsale.eligibility import Refusal
from flashsale.forms import EntryForm
from flashsale.models import Sale
from flashsale.questions import Question
from shop.orders.progress import masked

TRIES = Limit("sale entry account", "user", "10/5m")
CHANGES = Limit("sale entry change", "user", "30/5m")
ADDRESS = Limit("sale entry address", "ip", "60/m")
LINKS = Limit("sale entry link", "user", "5/1h")
KEPT = ("captcha", "captcha_key", "answer")


class Known(NamedTuple):
    """A sale's row and its questions, at most a second old. What is final, the gate decides."""

    sale: Sale
    questions: list[Question]


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sale_enter(request: HttpRequest, slug: str) -> HttpResponse:
    """Let the shopper in, or say why not: refused is a page with the person's own reason."""
    user = request.user
    if not isinstance(user, User):
        return _log_in_first(request, slug)
    tries = None
    if request.method == "POST":
        tries = count(request, CHANGES if request.POST.get("way") else TRIES, ADDRESS)
        if tries.left < 0:
            return too_many(request, seconds=tries.seconds)
    known = _recent(slug)
    if known.sale.phase == "ended":
        messages.info(request, _("This sale has ended; nobody can enter it any more."))
        return redirect(known.sale)
    refusal = eligibility.why_not(user=user, sale=known.sale, now=timezone.now())
    if refusal is not None:
        return refused(request, known.sale, refusal)
    return _asked(request, known) if tries is None else _answered(request, user, known, tries)


def _recent(slug: str) -> Known:
    """Return what is known of a sale; 404 for drafts."""
    rows = caches["process"]
    known: Known | None = rows.get(f"sale-{slug}")
    if known is None:
        sale = get_object_or_404(showing.public(), slug=slug)
        known = Known(sale, questions.of(sale))
        rows.set(f"sale-{slug}", known, 1)
    return known


def _log_in_first(request: HttpRequest, slug: str) -> HttpResponse:
    """Lead to the login and back; whoever comes with a link is told which account it is for."""
    sale = _recent(slug).sale
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
    """Draw the page for somebody who has not answered yet, or who comes by the link of a mail."""
    token = request.GET.get("link", "")
    holder = entry_link.holder(token, sale=known.sale) if token else None
    if holder not in (None, request.user.pk):
        return _of_another(request, known.sale, holder)
    form = _form(request, known)
    return _page(request, known.sale, form, link=token if holder else "", link_ended=token and not holder)


def _answered(request: HttpRequest, user: User, known: Known, tries: Tries) -> HttpResponse:
    """Let in whoever was right in one way; draw the page again for whoever was not, or asked for another."""
    way = request.POST.get("way")
    if way == "new":
        kept = ("answer",) if len(known.questions) == 1 else ()
        return _page(request, known.sale, _form(request, known, step=1, kept=kept), is_new=True)
    if way == "link" and (known.sale.captcha or known.questions):
        return _page(
            request, known.sale, _form(request, known, kept=KEPT), **_mailed(request, user, known.sale)
        )
    form = _form(request, known, data=request.POST)
    if entry.has_entered(request=request, sale=known.sale) or form.is_valid():
        return _let_in(request, user, known.sale)
    until = timezone.now() + timedelta(seconds=tries.seconds)
    return _page(request, known.sale, form, left=tries.left, left_until=until)


def _form(
    request: HttpRequest,
    known: Known,
    *,
    data: QueryDict | None = None,
    step: int = 0,
    kept: Sequence[str] = (),
) -> EntryForm:
    """Return the form; its question is `step` places after the last one, and `kept` is what was typed."""
    asked = request.POST.get("asked", "")[:4]
    number = (int(asked) if asked.isdecimal() else int(request.user.pk or 0)) + step
    return EntryForm(
        data,
        initial={name: request.POST.get(name, "") for name in kept},
        request=request,
        sale=known.sale,
        questions=known.questions,
        number=number % max(1, len(known.questions)),
    )


def _mailed(request: HttpRequest, user: User, sale: Sale) -> dict[str, object]:
    """Send the link, unless so many were sent; return what the page says of it."""
    now, tries = timezone.now(), count(request, LINKS)
    if tries.left < 0:
        return {"no_link_until": now + timedelta(seconds=tries.seconds)}
    entry_link.send(user=user, sale=sale, now=now)
    return {"sent_to": masked(user.email), "link_until": now + entry_link.LIFE}


def _page(request: HttpRequest, sale: Sale, form: EntryForm, **more: object) -> HttpResponse:
    now = timezone.now()
    context = {
        "sale": sale,
        "form": form,
        "entered": entry.has_entered(request=request, sale=sale),
        "pass_until": entry.expires_at(sale=sale, now=now),
        "next": _next(request),
        "section": "sales",
    }
    return render(request, "flashsale/enter.html", context | more)


def _let_in(request: HttpRequest, user: User, sale: Sale) -> HttpResponse:
    response = redirect(_next(request) or sale.get_absolute_url())
    entry.let_in(request=request, response=response, user=user, sale=sale)
    messages.success(request, _("You are in. Your pass is kept in this browser."))
    return response


def _next(request: HttpRequest) -> str:
    """Return where the shopper wanted to go, if that is a page of this shop."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else ""
