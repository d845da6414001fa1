"""The catalogue in the admin."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Min, QuerySet, Sum
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from shop import money
from shop.catalogue import stock
from shop.catalogue.admin_forms import ImageForm, ProductForm, VariantForm, VariantFormSet
from shop.catalogue.errors import OutOfStock
from shop.catalogue.models import FEW, Category, Product, ProductImage, Variant


class StockFilter(admin.SimpleListFilter):
    """Products that are sold out, or nearly."""

    title = _("stock")
    parameter_name = "stock"

    def lookups(self, _request: HttpRequest, _model_admin: Any) -> list[tuple[str, Any]]:
        return [("out", _("Sold out")), ("few", _("Few left")), ("in", _("In stock"))]

    def queryset(self, _request: HttpRequest, queryset: QuerySet[Product]) -> QuerySet[Product]:
        wanted: dict[str, dict[str, Any]] = {
            "out": {"stock_sum": 0},
            "few": {"stock_sum__gt": 0, "stock_sum__lte": FEW},
            "in": {"stock_sum__gt": 0},
        }
        return queryset.filter(**wanted.get(self.value() or "", {}))


class VariantInline(StackedInline):
    """Sizes and colours of a product."""

    model = Variant
    form = VariantForm
    formset = VariantFormSet
    extra = 0
    readonly_fields = ("stock",)
    fields = (
        ("sku", "options"),
        ("price", "compare_at"),
        ("stock", "more"),
        ("slot_place", "position"),
        "slot_starts_at",
    )


class ImageInline(TabularInline):
    """Pictures of a product."""

    model = ProductImage
    form = ImageForm
    extra = 0


@admin.register(Product)
class ProductAdmin(ModelAdmin):
    """Products with their variants and pictures."""

    form = ProductForm
    inlines = (VariantInline, ImageInline)
    list_display = ("title", "category", "kind", "from_price", "in_stock", "published")
    list_filter = ("published", "kind", StockFilter, "category", "vendor")
    list_select_related = ("category",)
    search_fields = ("title", "handle", "vendor", "tags", "variants__sku")
    prepopulated_fields = {"handle": ("title",)}
    autocomplete_fields = ("category",)
    actions = ("publish", "withdraw")
    view_on_site = True
    fieldsets = (
        (None, {"fields": (("title", "handle"), ("category", "kind"), ("vendor", "published"))}),
        (_("Words"), {"fields": ("body", "tags", "option_names")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        products: QuerySet[Product] = super().get_queryset(request)
        sums = {"stock_sum": Sum("variants__stock", default=0), "lowest": Min("variants__price")}
        return products.defer("search").annotate(**sums)

    @admin.display(description=_("price from"), ordering="lowest")
    def from_price(self, product: Product) -> str:
        lowest: int | None = getattr(product, "lowest", None)
        return "–" if lowest is None else money.draw(lowest)

    @admin.display(description=_("in stock"), ordering="stock_sum")
    def in_stock(self, product: Product) -> int:
        units: int = getattr(product, "stock_sum", 0)
        return units

    @admin.action(description=_("Publish"), permissions=["change"])
    def publish(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self._tell(request, Product.objects.filter(pk__in=products.values("pk")).update(published=True))

    @admin.action(description=_("Withdraw from the shop"), permissions=["change"])
    def withdraw(self, request: HttpRequest, products: QuerySet[Product]) -> None:
        self._tell(request, Product.objects.filter(pk__in=products.values("pk")).update(published=False))

    def _tell(self, request: HttpRequest, changed: int) -> None:
        text = ngettext("%(number)d product was changed.", "%(number)d products were changed.", changed)
        self.message_user(request, text % {"number": changed}, messages.SUCCESS)

    def save_formset(
        self,
        request: HttpRequest,
        form: "ModelForm[Product]",
        formset: "BaseModelFormSet[Any, Any]",
        change: bool,
    ) -> None:
        # A cart may be taking the same variants: lock them all in the common order before any is written.
        stock.locked(form.instance.variants.values_list("pk", flat=True))
        super().save_formset(request, form, formset, change)

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The form; units that were bought while it was open are told, and then nothing of it is saved."""
        try:
            answer: HttpResponse = super().changeform_view(request, *args, **kwargs)
        except OutOfStock as error:
            left = error.lines[0].left
            text = ngettext(
                "Nothing was saved: meanwhile only %(left)d unit is left.",
                "Nothing was saved: meanwhile only %(left)d units are left.",
                left,
            )
            self.message_user(request, text % {"left": left}, messages.ERROR)
            return redirect(request.get_full_path())
        return answer


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    """Categories, in the order in which the shop shows them."""

    list_display = ("name", "slug", "position", "size")
    list_editable = ("position",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    ordering = ("position", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        categories: QuerySet[Category] = super().get_queryset(request)
        return categories.annotate(product_count=Count("products"))

    @admin.display(description=_("products"), ordering="product_count")
    def size(self, category: Category) -> int:
        count: int = getattr(category, "product_count", 0)
        return count
