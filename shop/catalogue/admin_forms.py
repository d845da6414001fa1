"""What a merchandiser may type, and what is said when it does not fit."""

from typing import Any

from django import forms
from django.contrib.staticfiles import finders
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from shop.catalogue import pictures, prose, stock
from shop.catalogue.models import Product, ProductImage, Variant
from shop.fields import MoneyField, WordsField

TYPED = ("sku", "options", "price", "compare_at", "position", "slot_place", "slot_starts_at")
"""Columns of a variant that its form writes."""


class ProductForm(forms.ModelForm):  # type: ignore[type-arg]
    """A product; its description is cleaned."""

    option_names = WordsField(
        label=_("Option names"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("With a slash between, such as Colour / Size. Empty for a product without options."),
    )

    class Meta:
        model = Product
        fields = (
            "title",
            "handle",
            "category",
            "kind",
            "vendor",
            "published",
            "body",
            "tags",
            "option_names",
        )

    def clean_body(self) -> str:
        body: str = self.cleaned_data["body"]
        if len(body) > prose.LONGEST:
            raise ValidationError(
                _("Describe it in at most %(most)d characters."), params={"most": prose.LONGEST}
            )
        return prose.clean(body)


class ImageForm(forms.ModelForm):  # type: ignore[type-arg]
    """A picture that is there."""

    class Meta:
        model = ProductImage
        fields = ("source", "alt", "position")

    def clean_source(self) -> str:
        source: str = self.cleaned_data["source"]
        if pictures.is_own(source) and not finders.find(source):
            raise ValidationError(
                _("There is no picture “%(source)s” in the shop; one of them is products/storm-lantern.svg."),
                params={"source": source},
            )
        return source


class VariantForm(forms.ModelForm):  # type: ignore[type-arg]
    """A variant. Its stock is not typed but moved: shoppers buy while this form is open."""

    options = WordsField(
        label=_("Options"),
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Such as Sand / Large."),
    )
    price = MoneyField(label=_("Price"), widget=UnfoldAdminTextInputWidget)
    compare_at = MoneyField(label=_("Usual price"), required=False, widget=UnfoldAdminTextInputWidget)
    more = forms.IntegerField(
        label=_("Add units"),
        required=False,
        min_value=-1_000_000,
        max_value=1_000_000,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("-3 takes three out."),
    )

    class Meta:
        model = Variant
        fields = TYPED

    def clean_more(self) -> int:
        more: int = self.cleaned_data["more"] or 0
        if self.instance.stock + more < 0:
            raise ValidationError(
                _("Only %(stock)d are in stock."), params={"stock": self.instance.stock}, code="short"
            )
        return more

    def save(self, commit: bool = True) -> Variant:
        """Write what was typed, never the stock that was read; then move the units. Raises OutOfStock."""
        variant: Variant = self.instance
        if variant._state.adding:
            variant.stock = self.cleaned_data["more"]
            super().save(commit=commit)
        elif commit:
            variant.save(update_fields=TYPED)
            stock.adjust(pk=variant.pk, by=self.cleaned_data["more"])
        return variant


class VariantFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The variants of a product, which fit to its kind and to its options."""

    def clean(self) -> None:
        super().clean()
        for form in self.forms:
            if form.has_changed() and hasattr(form, "cleaned_data") and not form.cleaned_data.get("DELETE"):
                self._check(form)

    def _check(self, form: "forms.ModelForm[Variant]") -> None:
        typed: dict[str, Any] = form.cleaned_data
        names = self.instance.option_names
        if len(typed.get("options", names)) != len(names):
            text = (
                _("Give one value for each option: %(names)s.") if names else _("The product has no options.")
            )
            form.add_error("options", ValidationError(text, params={"names": " / ".join(names)}))
        if self.instance.kind == Product.Kind.SLOT and not (
            typed.get("slot_place") and typed.get("slot_starts_at")
        ):
            form.add_error("slot_place", ValidationError(_("A slot has a place and a time.")))
