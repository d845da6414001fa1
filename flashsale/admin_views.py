"""The operator's own pages of a sale in the admin: schedule, pause, resume, end."""

from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import User
from flashsale import audit, operating
from flashsale.cockpit.forms import ActionForm
from flashsale.cockpit.scales import number
from flashsale.errors import SaleError
from flashsale.models import Sale
from flashsale.operating import Units
from flashsale.words import moment


def may_operate(request: HttpRequest) -> bool:
    """Whether this member of staff may change sales."""
    return request.user.is_active and request.user.has_perm("flashsale.change_sale")


def operator(request: HttpRequest) -> User:
    """Return who is at work; only for somebody who may operate. Raises PermissionDenied."""
    if not may_operate(request) or not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def find_sale(request: HttpRequest, pk: int) -> Sale:
    """Return a sale with its items for somebody who may operate it. Raises PermissionDenied and Http404."""
    operator(request)
    sales = Sale.objects.filter(deleted_at=None).prefetch_related("items__variant__product")
    return get_object_or_404(sales, pk=pk)


def page(request: HttpRequest, site: AdminSite, sale: Sale, **more: Any) -> dict[str, Any]:
    """Return the context of a page about a sale."""
    return {**site.each_context(request), "opts": Sale._meta, "sale": sale, **more}


def back(sale: Sale, request: HttpRequest | None = None) -> HttpResponse:
    """Return to the page of a sale: the live one if the request came from there."""
    is_live = request is not None and request.POST.get("next") == "live"
    return redirect(reverse("admin:sale-live" if is_live else "admin:flashsale_sale_change", args=[sale.pk]))


@require_POST
def pause(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause with one press: the emergency must be quickest."""
    sale = find_sale(request, pk)
    try:
        messages.success(request, operating.pause(sale=sale, by=operator(request)))
    except SaleError as error:
        messages.error(request, str(error))
    return back(sale, request)


@require_http_methods(["GET", "POST"])
def schedule(request: HttpRequest, pk: int, site: AdminSite) -> HttpResponse:
    """Say what scheduling does, then do it, unless somebody did something since."""
    # Before the plan is read: a page may show more than it says that it has seen, never less.
    seen = audit.latest(Sale(pk=pk))
    sale = find_sale(request, pk)
    form = ActionForm(request.POST if request.method == "POST" else None, sale=sale, initial={"seen": seen})
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["seen"]
        try:
            messages.success(request, operating.schedule(sale=sale, by=operator(request), seen=seen))
        except SaleError as error:
            messages.error(request, str(error))
        return back(sale)
    context = page(
        request,
        site,
        sale,
        title=_("Schedule “%(sale)s”") % {"sale": sale.title},
        form=form,
        effects=_effects_of_scheduling(sale),
        button=_("Schedule, take the units out of ordinary stock"),
    )
    return render(request, "flashsale/admin/confirm.html", context)


def _effects_of_scheduling(sale: Sale) -> list[str]:
    sentence = _("%(variant)s: ordinary stock goes from %(before)d to %(after)d.")
    effects = [
        sentence
        % {
            "variant": item.variant,
            "before": item.variant.stock,
            "after": item.variant.stock - item.quantity,
        }
        for item in sale.items.all()
    ]
    times = {"opens": moment(sale.opens_at), "closes": moment(sale.closes_at)}
    effects.append(_("It opens %(opens)s and closes %(closes)s, by itself.") % times)
    effects.append(_("From then on its items and quantities cannot be changed."))
    return effects


def figures(sale: Sale) -> dict[str, Any]:
    """Return the figures of both stores as a table for the sale's page, with a word of judgement."""
    rows = operating.rows_figures(sale)
    try:
        store = operating.store_figures(sale)
    except SaleError as error:
        return {"figures": _table(sale, rows, {}), "figures_word": str(error), "figures_ok": False}
    if store is None:
        word = _("The memory does not know this sale: nobody can reserve.")
        return {"figures": _table(sale, rows, {}), "figures_word": word, "figures_ok": False}
    agree = all(rows[pk].sums == store[pk].sums for pk in store)
    word = (
        _("Both stores say the same.")
        if agree
        else _("The stores differ by what is on its way between them.")
    )
    return {"figures": _table(sale, rows, store), "figures_word": word, "figures_ok": agree}


def _table(sale: Sale, rows: dict[int, Units], store: dict[int, Units]) -> dict[str, Any]:
    headers = [
        _("Item"),
        _("Store"),
        _("Quantity"),
        _("Free"),
        _("Held"),
        _("Paid"),
        _("Returned"),
        _("Standby"),
    ]
    lines = []
    for item in sale.items.all():
        lines.append([item.variant, "PostgreSQL", *map(number, rows[item.pk].sums), "–"])
        if item.pk in store:
            sums = map(number, (*store[item.pk].sums, store[item.pk].standby))
            lines.append(["", _("Memory"), *sums])
    return {"headers": headers, "rows": lines}
