"""Entry to a sale: login, eligibility, captcha or question, and then the pass."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from accounts.limits import limited
from accounts.models import User
from flashsale import eligibility, entry, showing
from flashsale.eligibility import Refusal
from flashsale.forms import EntryForm
from flashsale.models import Sale


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited(group="sale entry account", key="user", rate="10/5m")
@limited(group="sale entry address", key="ip", rate="60/m")
def sale_enter(request: HttpRequest, slug: str) -> HttpResponse:
    """Let the shopper in, or say why not: refused is a page with the person's own reason."""
    sale = _recent(slug)
    user = request.user
    assert isinstance(user, User)  # noqa: S101 - behind login_required; tells the type checker
    if sale.phase == "ended":
        messages.info(request, _("This sale has ended; nobody can enter it any more."))
        return redirect(sale)
    refusal = eligibility.why_not(user=user, sale=sale, now=timezone.now())
    if refusal is not None:
        return refused(request, sale, refusal)
    form = EntryForm(request.POST if request.method == "POST" else None, request=request, sale=sale)
    if request.method == "POST" and (entry.has_entered(request=request, sale=sale) or form.is_valid()):
        return _let_in(request, user, sale)
    return render(request, "flashsale/enter.html", _context(request, sale, form))


def _recent(slug: str) -> Sale:
    """Return the row of a sale, at most a second old; 404 for drafts. What is final, the gate decides."""
    rows = caches["process"]
    sale: Sale | None = rows.get(f"sale-{slug}")
    if sale is None:
        sale = get_object_or_404(showing.public(), slug=slug)
        rows.set(f"sale-{slug}", sale, 1)
    return sale


def refused(request: HttpRequest, sale: Sale, refusal: Refusal) -> HttpResponse:
    """Draw the reason of one person, 403."""
    context = {"sale": sale, "refusal": refusal, "section": "sales"}
    return render(request, "flashsale/refused.html", context, status=403)


def _let_in(request: HttpRequest, user: User, sale: Sale) -> HttpResponse:
    response = redirect(_next(request) or sale.get_absolute_url())
    entry.let_in(request=request, response=response, user=user, sale=sale)
    entry.use_proof(request=request)
    messages.success(request, _("You are in. Your pass is kept in this browser."))
    return response


def _next(request: HttpRequest) -> str:
    """Return where the shopper wanted to go, if that is a page of this shop."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours else ""


def _context(request: HttpRequest, sale: Sale, form: EntryForm) -> dict[str, object]:
    return {
        "sale": sale,
        "form": form,
        "entered": entry.has_entered(request=request, sale=sale),
        "pass_until": entry.expires_at(sale=sale, now=timezone.now()),
        "next": _next(request),
        "section": "sales",
    }
