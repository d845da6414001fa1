"""Checkout on one page: who, where to, what it costs, and one press."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import Address, User
from shop.orders import access, carts, idempotency, placing, shipping
from shop.orders.errors import EmptyCart, Refused
from shop.orders.forms import CheckoutForm
from shop.orders.idempotency import Answer
from shop.orders.models import Cart, CartLine, Order
from shop.orders.placing import Draft
from shop.orders.shipping import ADDRESS


@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: HttpRequest) -> HttpResponse:
    """Show the form, or place the order: once for each form that we showed, however often it comes."""
    cart = carts.of(request)
    # The cart first, then the answer: a twin of this request may order in between, which empties the cart and
    # stores the answer in one step. Whoever finds the cart empty then finds the answer, too.
    lines = carts.lines(cart)
    token = idempotency.read(request.POST.get("token", ""), source=carts.source(request))
    answer = idempotency.stored(token.key) if token else None
    if answer is not None:
        return _go_on(request, answer)
    if cart is None or not lines:
        return _empty(request)
    form = _form(request, lines)
    if request.method != "POST":
        return _show(request, form, lines)
    if form.is_valid() and (token is None or not token.is_fresh):
        form.add_error(
            None, _("This page was open for a long time. Check it and press again; nothing was ordered yet.")
        )
    if not form.is_valid() or token is None:
        return _show(request, form, lines, status=422)
    try:
        answer = placing.place(key=token.key, draft=_draft(request, form, cart, token.total), tell=_tell)
    except Refused as trouble:
        form.add_error(None, trouble.sentence)
        return _show(request, form, carts.lines(cart), status=409)
    return _go_on(request, answer)


def _empty(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        messages.info(request, EmptyCart().sentence)
    return redirect("cart")


def _show(
    request: HttpRequest, form: CheckoutForm, lines: Sequence[CartLine], *, status: int = 200
) -> HttpResponse:
    sums = carts.sums(lines)
    context = {"form": form, "lines": lines, "sums": sums, "token": idempotency.issue(total=sums.total)}
    if sums.is_shipped:
        context["arrives"] = shipping.when(timezone.now(), is_paid=False)
    return render(request, "orders/checkout.html", context, status=status)


def _form(request: HttpRequest, lines: Sequence[CartLine]) -> CheckoutForm:
    return CheckoutForm(
        request.POST if request.method == "POST" else None,
        asks_email=not request.user.is_authenticated,
        asks_address=carts.sums(lines).is_shipped,
        initial=_known_address(request),
    )


def _known_address(request: HttpRequest) -> dict[str, str]:
    if not isinstance(request.user, User):
        return {}
    address = Address.objects.filter(user=request.user).first()
    return {name: getattr(address, name) for name in ADDRESS} if address else {}


def _draft(request: HttpRequest, form: CheckoutForm, cart: Cart, total: int) -> Draft:
    user = request.user if isinstance(request.user, User) else None
    return Draft(
        cart=cart,
        email=user.email if user else form.cleaned_data["email"],
        total=total,
        language=get_language() or "en",
        user=user,
        address=form.address(),
    )


def _tell(order: Order) -> Answer:
    return Answer(
        status=303, body={"order": str(order.public_id), "is_paid": order.status == Order.Status.PAID}
    )


def _go_on(request: HttpRequest, answer: Answer) -> HttpResponse:
    access.remember(request, answer.body["order"])
    carts.count(request, carts.of(request))
    return redirect(reverse("order" if answer.body["is_paid"] else "order-pay", args=[answer.body["order"]]))
