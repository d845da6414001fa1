"""A shopper's orders."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shop.orders import access, carts, endings, progress, shipping
from shop.orders import again as ordering_again
from shop.orders.errors import Refused

PAGE_SIZE = 20


@require_safe
def orders(request: HttpRequest) -> HttpResponse:
    """All orders of this shopper (or this browser), the newest first."""
    found = access.orders_of(request).prefetch_related("lines")
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    return render(request, "orders/list.html", {"page_obj": page})


@require_safe
def order(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One order: how it stands, what comes next, what was bought."""
    if "key" in request.GET:
        access.unlock(request, public_id, request.GET["key"])
        return redirect("order", public_id)
    found = access.order_of(request, public_id)
    lines = progress.lines(found)
    kinds = progress.kinds(lines)
    context = {
        "order": found,
        "lines": lines,
        "kinds": kinds,
        "steps": progress.steps(found, kinds),
        "money": progress.money(found),
        "clock": progress.clock(found.pay_by),
        "email": progress.masked(found.email),
        "arrives": shipping.when_it_comes(found) if "shipped" in kinds else "",
    }
    return render(request, "orders/order.html", context)


@require_POST
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Cancel an order that is not paid yet."""
    found = access.order_of(request, public_id)
    try:
        endings.cancel(order=found)
    except Refused as trouble:
        messages.error(request, trouble.sentence)
    else:
        messages.success(
            request, _("Order %(number)s is cancelled. Nothing was charged.") % {"number": found.number}
        )
    return redirect(found)


@require_POST
def again(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Put what an order had into the cart once more."""
    found = access.order_of(request, public_id)
    cart = carts.opened(request)
    missing = ordering_again.put_into(cart=cart, order=found)
    carts.count(request, cart)
    if missing:
        sentence = _("These cannot be had as you ordered them then: %(titles)s.")
        messages.warning(request, sentence % {"titles": ", ".join(missing)})
    return redirect("cart")
