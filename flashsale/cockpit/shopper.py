"""One shopper's whole story on one page: entries, attempts, reservations, orders, payments, mails."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST
from redis.exceptions import RedisError
from unfold.widgets import UnfoldAdminEmailInputWidget

from accounts.models import User
from flashsale import audit, stock
from flashsale.cockpit.live import watcher
from flashsale.models import Entrance, Reservation, Sale, StandbyEntry
from flashsale.words import instant
from shop import money
from shop.orders import outbox
from shop.orders.models import Order, OutboxMail, Payment


class FindForm(forms.Form):
    """Whose story."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address of the shopper"),
        widget=UnfoldAdminEmailInputWidget,
        error_messages={
            "required": gettext_lazy("Write an e-mail address."),
            "invalid": gettext_lazy("Write an e-mail address such as ann@example.com."),
        },
    )

    def clean_email(self) -> str:
        """Find nobody with a sentence."""
        email = str(self.cleaned_data["email"]).lower()
        if not User.objects.filter(email=email).exists():
            raise forms.ValidationError(_("No shopper has this address."))
        return email


class Event(NamedTuple):
    """Something in a shopper's story."""

    at: datetime
    what: str
    url: str = ""


def may_help(request: HttpRequest) -> bool:
    """Whether this member of staff may release a unit and send a mail again."""
    return request.user.has_perm("flashsale.change_reservation") or request.user.has_perm(
        "flashsale.change_sale"
    )


@require_GET
def shopper(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Find a shopper by e-mail address and tell his story."""
    watcher(request)
    if not request.user.has_perm("flashsale.view_reservation"):
        raise PermissionDenied
    form = FindForm(request.GET if "email" in request.GET else None)
    context = {**site.each_context(request), "opts": Sale._meta, "form": form, "title": _("One shopper")}
    if form.is_bound and form.is_valid():
        user = User.objects.get(email=form.cleaned_data["email"])
        context |= {
            "shopper": user,
            "events": sorted(_events(user), key=lambda event: event.at),
            "tickets": _tickets(user),
            "held": Reservation.objects.filter(user=user, status="held").select_related("item__sale"),
            "mails": OutboxMail.objects.filter(to=user.email).order_by("pk"),
            "may_help": may_help(request),
        }
    return render(request, "flashsale/cockpit/shopper.html", context)


def _events(user: User) -> Iterator[Event]:
    yield Event(user.date_joined, _("Opened the account, level %(level)d.") % {"level": user.level})
    for came in Entrance.objects.filter(user=user).select_related("sale"):
        yield Event(came.at, _("Entered “%(sale)s”.") % {"sale": came.sale.title})
    for place in StandbyEntry.objects.filter(user=user).select_related("item__sale"):
        values = {"number": place.number, "sale": place.item.sale.title, "status": place.get_status_display()}
        yield Event(place.joined_at, _("Standby number %(number)d in “%(sale)s”.") % values)
        if place.ended_at:
            yield Event(place.ended_at, _("Standby in “%(sale)s” ended: %(status)s.") % values)
    for row in Reservation.objects.filter(user=user).select_related("item__sale", "order"):
        yield from _of_reservation(row)
    for order in Order.objects.filter(user=user):
        values = {"number": order.number, "total": money.draw(order.total)}
        url = reverse("admin:orders_order_change", args=[order.pk])
        yield Event(order.created_at, _("Order %(number)s over %(total)s.") % values, url)
        if order.paid_at:
            yield Event(order.paid_at, _("Order %(number)s was paid.") % values, url)
    for payment in Payment.objects.filter(order__user=user).select_related("order"):
        values = {"number": payment.order.number, "status": payment.status, "variant": payment.variant}
        yield Event(payment.modified, _("Payment of %(number)s by %(variant)s: %(status)s.") % values)


def _of_reservation(row: Reservation) -> Iterator[Event]:
    values = {"rid": row.rid, "sale": row.item.sale.title, "until": instant(row.pay_by)}
    how = _("Promoted to %(rid)s in “%(sale)s”, to pay by %(until)s.")
    if not row.promoted:
        how = _("Reserved %(rid)s in “%(sale)s”, to pay by %(until)s.")
    yield Event(row.reserved_at, how % values)
    if row.ended_at:
        status = {"rid": row.rid, "status": row.get_status_display()}
        yield Event(row.ended_at, _("%(rid)s ended: %(status)s.") % status)


def _tickets(user: User) -> list[str]:
    """Say where the shopper stands in the sales that run now; a silent store is said so."""
    found = []
    for sale in Sale.objects.filter(state=Sale.State.SCHEDULED, entrances__user=user).prefetch_related(
        "items"
    ):
        try:
            (own,) = stock.run(stock.own(sale.pk, [item.pk for item in sale.items.all()], [user.pk]))
        except RedisError:
            return [_("The sales' memory does not answer: attempts of now are unknown.")]
        places = ", ".join(answer.outcome for answer in own.items.values()) or _("nothing yet")
        line = _("ticket %(number)d") % {"number": own.ticket.number} if own.ticket else _("no ticket")
        found.append(f"{sale.title}: {line}, {places}")
    return found


@require_POST
def resend(request: HttpRequest, pk: int) -> HttpResponse:
    """Send one mail again, and note who did."""
    by = watcher(request)
    if not may_help(request):
        raise PermissionDenied
    mail = get_object_or_404(OutboxMail, pk=pk)
    outbox.send_again(ids=[mail.pk])
    row = Reservation.objects.filter(rid=mail.ref).select_related("item__sale").first()
    if row is not None:
        values: dict[str, Any] = {"kind": mail.get_kind_display(), "email": mail.to}
        audit.note(sale=row.item.sale, by=by, what=_("Sent “%(kind)s” to %(email)s again.") % values)
    messages.success(request, _("The mail leaves again within seconds."))
    return redirect(reverse("admin:sale-shopper", query={"email": mail.to}))
