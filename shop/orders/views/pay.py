"""Paying an order: its address if it lacks one, the way to pay, the provider, and the way back."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from payments import PaymentError, RedirectNeeded

from accounts.forms import AddressPartsForm
from accounts.models import Address
from shop.orders import access, payment, polling, progress, shipping
from shop.orders.errors import Refused
from shop.orders.forms import BankForm
from shop.orders.models import Order, Payment
from shop.orders.payment import Report

DUMMY = "dummy"


@require_http_methods(["GET", "HEAD", "POST"])
def pay(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show what is to be paid and until when; a POST goes on to the provider, or confirms what is free."""
    order = access.order_of(request, public_id)
    if order.status != Order.Status.AWAITING_PAYMENT:
        return redirect(order)
    form = None
    if shipping.lacks_address(order) or "change" in request.GET:
        form = AddressPartsForm(initial=_known_address(order))
    if request.method != "POST" or form is not None:
        return _show(request, order, form)
    try:
        if not order.total:
            payment.confirm(order=order)
            return redirect(order)
        started = payment.start(order=order, variant=_variant(request))
    except Refused as trouble:
        messages.error(request, trouble.sentence)
        return redirect(order)
    return redirect("payment", started.token)


@require_POST
def address(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Set where the order goes."""
    order = access.order_of(request, public_id)
    form = AddressPartsForm(request.POST)
    if not form.is_valid():
        return _show(request, order, form, status=422)
    try:
        shipping.address(order=order, fields=form.parts())
    except Refused as trouble:
        messages.error(request, trouble.sentence)
    return redirect("order-pay", public_id)


@require_http_methods(["GET", "HEAD", "POST"])
def provider(request: HttpRequest, token: UUID) -> HttpResponse:
    """Send the shopper to the provider; the trial provider's own page is here."""
    found = _payment_of(request, token)
    if not found.is_open or found.order.status != Order.Status.AWAITING_PAYMENT:
        return redirect("order-pay", found.order.public_id)
    if request.method == "POST" and found.variant == DUMMY:
        return _answer(request, found)
    try:
        found.get_form()
    except RedirectNeeded as to:
        return redirect(str(to))
    except PaymentError:
        messages.error(
            request, _("The payment service does not answer. Nothing was charged; try again in a minute.")
        )
        return redirect("order-pay", found.order.public_id)
    context = {"payment": found, "order": found.order, "clock": progress.clock(found.order.pay_by)}
    return render(request, "orders/provider.html", context)


@require_safe
def back(request: HttpRequest, token: UUID) -> HttpResponse:
    """The shopper comes back from the provider: ask it how the payment stands, and show the order."""
    found = _payment_of(request, token)
    polling.ask(found)
    return redirect(found.order)


def _show(
    request: HttpRequest, order: Order, form: AddressPartsForm | None, *, status: int = 200
) -> HttpResponse:
    lines = progress.lines(order)
    context = {
        "order": order,
        "lines": lines,
        "form": form,
        "is_shipped": "shipped" in progress.kinds(lines),
        "variants": list(settings.PAYMENT_VARIANTS),
        "money": progress.money(order),
        "clock": progress.clock(order.pay_by),
        "arrives": shipping.when_it_comes(order) if "shipped" in progress.kinds(lines) else "",
    }
    return render(request, "orders/pay.html", context, status=status)


def _known_address(order: Order) -> dict[str, str]:
    source: Order | Address | None = order
    if not order.line1:
        source = Address.objects.filter(user=order.user_id).first() if order.user_id else None
    return {name: getattr(source, name) for name in shipping.ADDRESS} if source else {}


def _variant(request: HttpRequest) -> str:
    wanted = request.POST.get("variant", "")
    return wanted if wanted in settings.PAYMENT_VARIANTS else settings.PAYMENT_DEFAULT


def _payment_of(request: HttpRequest, token: UUID) -> Payment:
    payments = Payment.objects.select_related("order").filter(variant__in=settings.PAYMENT_VARIANTS)
    found: Payment = get_object_or_404(payments, token=str(token), order__in=access.orders_of(request))
    return found


def _answer(request: HttpRequest, found: Payment) -> HttpResponse:
    """The trial bank says yes or no, as a real one would by its webhook."""
    form = BankForm(request.POST)
    if not form.is_valid():
        return redirect("payment", found.token)
    status = form.cleaned_data["answer"]
    amount = found.amount if status == "confirmed" else 0
    payment.hear(
        Report(token=found.token, status=status, amount=amount, currency=found.currency, provider=DUMMY)
    )
    return redirect("order" if amount else "order-pay", found.order.public_id)
