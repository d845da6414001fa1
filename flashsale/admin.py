"""Sales in the admin: plan, schedule, watch, pause, end; and who reserved what."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db import models, transaction
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display

from flashsale import (
    admin_pacing,
    admin_standby,
    admin_views,
    audit,
    drafts,
    operating,
    pacing,
    scheduling,
)
from flashsale.admin_forms import ItemForm, ItemFormSet, SaleForm
from flashsale.admin_records import ParkedEntryAdmin, ReservationAdmin, StandbyEntryAdmin
from flashsale.admin_transfers import TransferAdmin
from flashsale.cockpit import addresses, planning
from flashsale.cockpit.figures import both_zones
from flashsale.cockpit.scales import number
from flashsale.errors import SaleError, SchedulingError
from flashsale.models import Sale, SaleItem
from shop import money
from shop.catalogue.models import Variant

WHEN, LINE = _("When"), _("The line")
ORDER = ("rate", "tie_band", "shuffle_at_open")
WHY_FIXED = _(
    "The sale has opened: people have their places in line, and other lots or another tie band would take"
    " places from some and give them to others. So the order stays as it is. The rate is changed above, where"
    " you first read what follows from it."
)
__all__ = [
    "ParkedEntryAdmin",
    "ReservationAdmin",
    "SaleAdmin",
    "StandbyEntryAdmin",
    "TransferAdmin",
    "VariantLookup",
]


@admin.register(Variant)
class VariantLookup(ModelAdmin):
    """Finds variants by name or SKU for the items of a sale; products are edited with their product."""

    search_fields = ("product__title", "sku")
    list_select_related = ("product",)
    ordering = ("product__title", "position", "pk")

    def has_module_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class ItemInline(TabularInline):
    """What is in the sale; once it is scheduled, only to be read."""

    model = SaleItem
    form = ItemForm
    formset = ItemFormSet
    extra = 0
    autocomplete_fields = ("variant",)
    readonly_fields = ("drawn_price", "held", "paid", "returned")

    def get_fields(self, request: HttpRequest, obj: Sale | None = None) -> tuple[str, ...]:
        if is_draft(obj):
            return ("variant", "price", "quantity", "limit")
        return ("variant", "drawn_price", "quantity", "limit", "held", "paid", "returned")

    @admin.display(description=_("sale price"))
    def drawn_price(self, item: SaleItem) -> str:
        return money.draw(item.price)

    def has_add_permission(self, request: HttpRequest, obj: Sale | None = None) -> bool:
        return is_draft(obj) and bool(super().has_add_permission(request, obj))

    def has_change_permission(self, request: HttpRequest, obj: Sale | None = None) -> bool:
        return is_draft(obj) and bool(super().has_change_permission(request, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Sale | None = None) -> bool:
        return is_draft(obj) and bool(super().has_delete_permission(request, obj))


def is_draft(sale: Sale | None) -> bool:
    """Whether everything about the sale may still be changed."""
    return sale is None or sale.state == Sale.State.DRAFT


def _refuse_another_order(request: HttpRequest, sale: Sale) -> None:
    """Raise SchedulingError where a page from before the opening would change the order of a line."""
    if is_draft(sale) or sale.phase == "coming":
        return
    now = {"rate": str(sale.rate or ""), "tie_band": str(sale.tie_band)}
    now["shuffle_at_open"] = "on" if sale.shuffle_at_open else ""
    if any(name in request.POST and request.POST[name] != value for name, value in now.items()):
        raise SchedulingError(f"{gettext('Nothing was saved.')} {WHY_FIXED}")


@admin.register(Sale)
class SaleAdmin(ModelAdmin):
    """Sales. What is on the form is saved; what happens to a sale is done by its own buttons."""

    form = SaleForm
    inlines = (ItemInline,)
    list_display = ("title", "phase_word", "opens", "ends", "units", "standby_places", "now")
    list_filter = ("state", "paused", "opens_at")
    search_fields = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}
    actions = ("schedule", "pause", "resume")
    view_on_site = False
    change_form_outer_before_template = "flashsale/admin/controls.html"
    change_form_before_template = "flashsale/cockpit/plan.html"
    list_before_template = "flashsale/cockpit/list_links.html"
    fieldsets = (
        (None, {"fields": (("title", "slug"), "description")}),
        (WHEN, {"fields": ("opens_at", "closes_at", "opens_at_once")}),
        (_("How"), {"fields": (("pay_within", "standby_size"),)}),
        (LINE, {"fields": (("rate", "queue_limit"), "pace", ("tie_band", "shuffle_at_open"))}),
        (
            _("Who may enter"),
            {"fields": (("min_account_days", "min_level"), "list_excuses", "whitelist_only")},
        ),
        (_("Checks at the entry"), {"fields": ("captcha", "question", "answers", "proof_of_work")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Sale]:
        sales: QuerySet[Sale] = super().get_queryset(request)
        sales = sales.filter(rehearsal_of=None, deleted_at=None)
        return sales.annotate(unit_sum=models.Sum("items__quantity", default=0))

    def get_readonly_fields(self, request: HttpRequest, obj: Sale | None = None) -> tuple[str, ...]:
        """A scheduled sale keeps its address; a sale that has opened keeps its opening."""
        if obj is None or is_draft(obj):
            return ("pace",)
        return ("pace", "slug") if obj.phase == "coming" else ("pace", "slug", "opens_at", *ORDER)

    def get_fieldsets(self, request: HttpRequest, obj: Sale | None = None) -> Any:
        """What asks about the opening is left out once that cannot be changed."""
        found = super().get_fieldsets(request, obj)
        if "opens_at" not in self.get_readonly_fields(request, obj):
            return found
        fixed = {
            WHEN: {"fields": ("opens_at", "closes_at")},
            LINE: dict(found)[LINE] | {"description": WHY_FIXED},
        }
        return tuple((name, fixed.get(name, part)) for name, part in found)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Sale | None = None) -> dict[str, Any]:
        return self.prepopulated_fields if is_draft(obj) else {}

    def has_change_permission(self, request: HttpRequest, obj: Sale | None = None) -> bool:
        return (obj is None or obj.state != Sale.State.CLOSED) and bool(
            super().has_change_permission(request, obj)
        )

    def has_delete_permission(self, request: HttpRequest, obj: Sale | None = None) -> bool:
        """Only a draft owns no units; a scheduled sale is ended, not deleted."""
        return is_draft(obj) and bool(super().has_delete_permission(request, obj))

    def delete_model(self, request: HttpRequest, obj: Sale) -> None:
        """Put a draft out of sight; it can be brought back."""
        self.message_user(request, drafts.delete(sale=obj, by=admin_views.operator(request)))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Sale]) -> None:
        """The same for each of those that were chosen."""
        self._each(request, queryset, drafts.delete)

    @display(  # type: ignore[untyped-decorator]
        description=_("state"),
        ordering="opens_at",
        label={
            "draft": "info",
            "coming": "info",
            "running": "success",
            "paused": "warning",
            "ended": "plain",
        },
    )
    def phase_word(self, sale: Sale) -> tuple[str, str]:
        words = {
            "draft": gettext("Draft"),
            "coming": gettext("Coming"),
            "running": gettext("Running"),
            "paused": gettext("Paused"),
            "ended": gettext("Ended"),
        }
        return sale.phase, words[sale.phase]

    @admin.display(description=_("what it comes to"))
    def pace(self, sale: Sale) -> str:
        return pacing.result(sale) if sale.pk else gettext("It is said here once the sale is saved.")

    @admin.display(description=_("opens"), ordering="opens_at")
    def opens(self, sale: Sale) -> str:
        return both_zones(sale.opens_at)

    @admin.display(description=_("closes"), ordering="closes_at")
    def ends(self, sale: Sale) -> str:
        return both_zones(sale.closes_at)

    @admin.display(description=_("units"), ordering="unit_sum")
    def units(self, sale: Sale) -> str:
        return number(getattr(sale, "unit_sum", 0))

    @admin.display(description=_("standby places"), ordering="standby_size")
    def standby_places(self, sale: Sale) -> str:
        return number(sale.standby_size)

    @admin.display(description=_("go to"))
    def now(self, sale: Sale) -> str:
        """The page that somebody wants next: what runs is watched, what is over is read about."""
        name, word = "sale-live", gettext("Live page")
        if is_draft(sale):
            name, word = "sale-rehearse", gettext("Rehearse")
        elif sale.phase == "ended":
            name, word = "sale-report", gettext("Report")
        url = reverse(f"admin:{name}", args=[sale.pk])
        return format_html('<a class="underline" href="{}">{}</a>', url, word)

    @admin.action(description=_("Schedule"), permissions=["change"])
    def schedule(self, request: HttpRequest, sales: QuerySet[Sale]) -> None:
        self._each(request, sales, operating.schedule)

    @admin.action(description=_("Pause"), permissions=["change"])
    def pause(self, request: HttpRequest, sales: QuerySet[Sale]) -> None:
        self._each(request, sales, operating.pause)

    @admin.action(description=_("Resume"), permissions=["change"])
    def resume(self, request: HttpRequest, sales: QuerySet[Sale]) -> None:
        self._each(request, sales, operating.resume)

    def _each(self, request: HttpRequest, sales: QuerySet[Sale], verb: Callable[..., str]) -> None:
        for sale in Sale.objects.filter(pk__in=sales.values("pk")):
            try:
                said = verb(sale=sale, by=admin_views.operator(request))
                self.message_user(request, said, messages.SUCCESS)
            except SaleError as error:
                self.message_user(request, f"{sale.title}: {error}", messages.ERROR)

    def get_urls(self) -> list[URLPattern]:
        def page(view: Callable[..., HttpResponse], **more: Any) -> Callable[..., HttpResponse]:
            wrapped: Callable[..., HttpResponse] = self.admin_site.admin_view(partial(view, **more))
            return wrapped

        site = self.admin_site
        own = [
            path("<int:pk>/schedule/", page(admin_views.schedule, site=site), name="sale-schedule"),
            path("<int:pk>/pause/", page(admin_views.pause), name="sale-pause"),
            path("<int:pk>/rate/", page(admin_pacing.rate, site=site), name="sale-rate"),
        ]
        return [*own, *addresses.pages(page, site), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form, under the figures of both stores and the buttons."""
        sales = Sale.objects.filter(deleted_at=None).prefetch_related("items__variant__product")
        sale = sales.filter(pk=object_id).first() if object_id.isdecimal() else None
        query = {"item__sale__id__exact": object_id}
        extra: dict[str, Any] = {
            "may_operate": admin_views.may_operate(request),
            "show_delete": False,  # a draft has a button of its own, by which it can be brought back
            **planning.panel(sale),
            "reservations_url": reverse("admin:flashsale_reservation_changelist", query=query),
        }
        if sale is not None and not is_draft(sale):
            extra |= admin_views.figures(sale) | admin_pacing.figures(sale) | admin_standby.panel(sale)
        answer: HttpResponse = super().change_view(
            request, object_id, form_url, (extra_context or {}) | extra
        )
        return answer

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """The empty form, with what will happen beside it."""
        extra = {"may_operate": admin_views.may_operate(request), **planning.panel(None)}
        answer: HttpResponse = super().add_view(request, form_url, (extra_context or {}) | extra)
        return answer

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """The form; where somebody scheduled the sale meanwhile, nothing of it is saved."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except SaleError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect(request.path)

    def save_model(self, request: HttpRequest, obj: Sale, form: "ModelForm[Sale]", change: bool) -> None:
        """Write what was typed and nothing else: a task or another operator may move the sale meanwhile."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        locked = Sale.objects.select_for_update(of=("self",), no_key=True).get(pk=obj.pk)
        # The form has looked before this lock; whoever saved or acted in between is seen only here.
        seen = request.POST.get("seen", "")
        audit.refuse_old(sale=locked, seen=int(seen) if seen.isdecimal() else None)
        if locked.state != obj.state:
            raise SchedulingError(gettext("Nothing was saved: meanwhile the sale was scheduled or closed."))
        _refuse_another_order(request, locked)
        typed = {field.name for field in Sale._meta.fields} & set(form.changed_data)
        obj.save(update_fields=typed)
        if not is_draft(obj):
            # The quick way; should the store be away, the beat's warm-up brings it the same settings.
            transaction.on_commit(partial(scheduling.warm, sale_id=obj.pk), robust=True)
