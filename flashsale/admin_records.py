"""What became of attempts, in the admin: only to be read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from flashsale.models import ParkedEntry, Reservation, StandbyEntry


class ReadOnlyAdmin(ModelAdmin):
    """Rows that only the worker writes."""

    show_full_result_count = False

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


@admin.register(Reservation)
class ReservationAdmin(ReadOnlyAdmin):
    """Who holds, paid or lost a unit."""

    list_display = ("rid", "user", "item", "status_word", "promoted", "reserved_at", "pay_by", "order_link")
    list_filter = ("status", "promoted", "item__sale", "reserved_at")
    list_select_related = ("user", "order", "item__sale", "item__variant__product")
    search_fields = ("rid", "user__email")
    search_help_text = _("A reservation or an e-mail address.")

    @display(  # type: ignore[untyped-decorator]
        description=_("status"),
        ordering="status",
        # Each has one: of a status without it the theme shows the bare code.
        label=dict.fromkeys(Reservation.Status.values, "plain")
        | {"held": "info", "paid": "success", "displaced": "danger", "expired": "warning"},
    )
    def status_word(self, row: Reservation) -> tuple[str, str]:
        return row.status, row.get_status_display()

    @admin.display(description=_("order"))
    def order_link(self, row: Reservation) -> str:
        if row.order is None:
            return "–"
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:orders_order_change", args=[row.order.pk]), row.order
        )


@admin.register(StandbyEntry)
class StandbyEntryAdmin(ReadOnlyAdmin):
    """Who stands by, in which order."""

    list_display = ("number", "user", "item", "status", "joined_at", "ended_at")
    list_filter = ("status", "item__sale", "epoch")
    list_select_related = ("user", "item__sale", "item__variant__product")
    search_fields = ("user__email",)


@admin.register(ParkedEntry)
class ParkedEntryAdmin(ReadOnlyAdmin):
    """What the worker could not record: somebody must look, for its unit stays held."""

    list_display = ("entry_id", "sale", "parked_at", "error")
    list_filter = ("sale", "parked_at")
    list_select_related = ("sale",)
