"""The drafts that were deleted, each with its undo."""

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from flashsale import drafts
from flashsale.admin_views import find_sale, operator
from flashsale.errors import SaleError
from flashsale.models import Sale
from flashsale.words import instant


@require_safe
def deleted(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """What can still be brought back, and until when."""
    operator(request)
    rows = [(sale, instant(sale.deleted_at + drafts.KEPT)) for sale in drafts.deleted() if sale.deleted_at]
    context = {
        **site.each_context(request),
        "opts": Sale._meta,
        "title": _("Deleted drafts"),
        "rows": rows,
    }
    return render(request, "flashsale/cockpit/deleted.html", context)


@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a draft with one press: it can be undone."""
    sale = find_sale(request, pk)
    try:
        messages.success(request, drafts.delete(sale=sale, by=operator(request)))
    except SaleError as error:
        messages.error(request, str(error))
        return redirect("admin:flashsale_sale_change", pk)
    return redirect("admin:sale-deleted")


@require_POST
def undelete(request: HttpRequest, pk: int) -> HttpResponse:
    """Bring a draft back."""
    by = operator(request)
    sale = get_object_or_404(drafts.deleted(), pk=pk)
    try:
        messages.success(request, drafts.bring_back(sale=sale, by=by))
    except SaleError as error:
        messages.error(request, str(error))
        return redirect("admin:sale-deleted")
    return redirect("admin:flashsale_sale_change", pk)
