"""The cart."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from shop.catalogue.models import Variant
from shop.orders import carts
from shop.orders.errors import NotEnough
from shop.orders.forms import CartLineForm
from shop.origin import from_own_pages


@require_safe
def cart(request: HttpRequest) -> HttpResponse:
    """What is in the cart, and what it costs with delivery."""
    found = carts.of(request)
    lines = carts.lines(found)
    carts.count(request, found)
    return render(
        request, "orders/cart.html", {"lines": lines, "sums": carts.sums(lines), "most": carts.MOST}
    )


@from_own_pages
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Put so many of a variant into the cart."""
    form = CartLineForm(request.POST)
    if "variant" in form.errors:
        raise Http404
    published = Variant.objects.select_related("product").filter(product__published=True)
    variant = get_object_or_404(published, pk=form.cleaned_data["variant"])
    if not form.is_valid():
        messages.error(request, form.sentence())
        return redirect(variant.product)
    found = carts.opened(request)
    try:
        carts.add(cart=found, variant=variant, quantity=form.cleaned_data["quantity"] or 1)
    except NotEnough as trouble:
        messages.error(request, trouble.sentence)
        return redirect(variant.product)
    carts.count(request, found)
    messages.success(request, _("“%(title)s” is in your cart.") % {"title": variant})
    return redirect("cart")


@require_POST
def update(request: HttpRequest) -> HttpResponse:
    """Set the quantity of one line; 0 takes it out."""
    form = CartLineForm(request.POST)
    if not form.is_valid() or form.cleaned_data["quantity"] is None:
        messages.error(request, form.sentence() or _("Enter the quantity as a whole number."))
        return redirect("cart")
    try:
        _update(request, form)
    except NotEnough as trouble:
        messages.error(request, trouble.sentence)
    return redirect("cart")


@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Take one line out of the cart."""
    form = CartLineForm({"variant": request.POST.get("variant"), "quantity": 0})
    if form.is_valid():
        _update(request, form)
    return redirect("cart")


def _update(request: HttpRequest, form: CartLineForm) -> None:
    found = carts.of(request)
    if found is not None:
        data = form.cleaned_data
        carts.update(cart=found, variant_id=data["variant"], quantity=data["quantity"])
        carts.count(request, found)
