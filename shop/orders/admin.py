"""Orders and outgoing mail for the shop's staff: to read, and to do what a button names."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from shop import money
from shop.orders import endings, outbox, shipping
from shop.orders.errors import Refused
from shop.orders.models import Order, OrderLine, OutboxMail, Payment

ORDER_COLOURS = {"awaiting_payment": "warning", "paid": "success", "shipped": "info"}
MAIL_COLOURS = {"pending": "warning", "sent": "success", "parked": "danger"}


class ReadOnly:
    """Rows that services write: nobody edits them by hand; who may change them may use the actions."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody adds one here."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes one here."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        """Return every field."""
        shown: Any = self
        return [*shown.readonly_fields, *(field.name for field in shown.model._meta.fields)]


class OrderLineInline(ReadOnly, TabularInline):
    """What was bought."""

    model = OrderLine
    fields = ("title", "sku", "quantity", "amount")
    readonly_fields = ("amount",)
    extra = 0

    @admin.display(description=_("price"))
    def amount(self, line: OrderLine) -> str:
        """The price of one, with its currency."""
        return money.draw(line.price)


class PaymentInline(ReadOnly, TabularInline):
    """Every attempt to pay, and what became of the money."""

    model = Payment
    fields = (
        "created",
        "variant",
        "status",
        "total",
        "captured_amount",
        "refund_next_try_at",
        "refund_tries",
        "message",
    )
    extra = 0
    classes = ("collapse",)


@admin.register(Order)
class OrderAdmin(ReadOnly, ModelAdmin):
    """Orders, with lines and payments."""

    list_display = ("number", "state", "email", "amount", "hold", "pay_by", "created_at")
    list_filter = ("status", "hold", "created_at")
    search_fields = ("email", "full_name", "public_id", "=id")
    search_help_text = _("E-mail, name, or the digits of the number after the year")
    readonly_fields = ("number", "amount")
    date_hierarchy = "created_at"
    inlines = (OrderLineInline, PaymentInline)
    actions = ("mark_shipped", "cancel")

    @display(description=_("status"), label=ORDER_COLOURS, ordering="status")  # type: ignore[untyped-decorator]
    def state(self, order: Order) -> tuple[str, str]:
        """The status as a coloured word."""
        return order.status, order.get_status_display()

    @admin.display(description=_("total"), ordering="total")
    def amount(self, order: Order) -> str:
        """The total with its currency."""
        return money.draw(order.total)

    @admin.action(description=_("Mark as shipped, and write to the shopper"), permissions=["change"])
    def mark_shipped(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Ship what is paid."""
        done = _each(request, queryset, lambda order: shipping.ship(order=order))
        _tell(
            request,
            ngettext("%d order is marked as shipped.", "%d orders are marked as shipped.", done),
            done,
        )

    @admin.action(description=_("Cancel what is not paid, and free its units"), permissions=["change"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Order]) -> None:
        """Cancel what awaits its payment."""
        done = _each(request, queryset, lambda order: endings.cancel(order=order))
        _tell(request, ngettext("%d order is cancelled.", "%d orders are cancelled.", done), done)


@admin.register(OutboxMail)
class OutboxMailAdmin(ReadOnly, ModelAdmin):
    """What must leave, what has left, and what was given up."""

    list_display = ("created_at", "kind", "to", "state", "attempts", "next_try_at", "sent_at", "error")
    list_filter = ("status", "kind")
    search_fields = ("to", "ref")
    actions = ("send_again",)

    @display(description=_("status"), label=MAIL_COLOURS, ordering="status")  # type: ignore[untyped-decorator]
    def state(self, mail: OutboxMail) -> tuple[str, str]:
        """The status as a coloured word."""
        return mail.status, mail.get_status_display()

    @admin.action(description=_("Send again"), permissions=["change"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[OutboxMail]) -> None:
        """Make mails due at once, sent ones too: they keep their Message-ID."""
        done = outbox.send_again(ids=queryset.values_list("pk", flat=True))
        _tell(request, ngettext("%d mail is sent again.", "%d mails are sent again.", done), done)


def _each(request: HttpRequest, orders: QuerySet[Order], act: Callable[[Order], None]) -> int:
    """Do `act` to one order after another; what is refused is told and does not stop the others."""
    done = 0
    for order in orders:
        try:
            act(order)
        except Refused as trouble:
            messages.warning(request, f"{order.number}: {trouble.sentence}")
        else:
            done += 1
    return done


def _tell(request: HttpRequest, sentence: str, done: int) -> None:
    if done:
        messages.success(request, sentence % done)
