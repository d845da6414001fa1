"""What a merchandiser may type about a sale, and what is said when it does not fit."""

from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.models import BaseInlineFormSet
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from flashsale import audit, scheduling
from flashsale.errors import Stale
from flashsale.models import Sale, SaleItem
from flashsale.words import moment
from shop.fields import MoneyField

RESERVED_SLUGS = frozenset({"reservations"})
NEEDS_A_RATE = {
    "queue_limit": _("Without an admission rate there is no line. Give a rate, or leave this empty."),
    "tie_band": _("Lots order a line, and without an admission rate there is none. Give one, or set 0."),
    "shuffle_at_open": _("Lots order a line, and without an admission rate there is none. Give one first."),
}


class SaleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A sale without its items."""

    opens_at_once = forms.BooleanField(
        label=_("It may open at once"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=_("Without this, an opening in the past is taken for a slip."),
    )

    class Meta:
        model = Sale
        fields = (
            "title",
            "slug",
            "description",
            "opens_at",
            "closes_at",
            "pay_within",
            "standby_size",
            "rate",
            "queue_limit",
            "tie_band",
            "shuffle_at_open",
            "min_account_days",
            "min_level",
            "list_excuses",
            "whitelist_only",
            "captcha",
            "question",
            "answers",
            "proof_of_work",
        )
        error_messages = {
            "pay_within": {
                "min_value": _("Give at least %(limit_value)d seconds to pay."),
                "max_value": _("Give at most a day to pay, which is %(limit_value)d seconds."),
            },
            "rate": {"min_value": _("Serve at least one shopper a second, or leave it empty for no limit.")},
            "queue_limit": {"min_value": _("Let at least one wait, or leave it empty for no limit.")},
            "tie_band": {"max_value": _("A tie band is at most a second, which is %(limit_value)d ms.")},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        said = gettext("In %(zone)s, the zone of the shop.") % {"zone": timezone.get_current_timezone_name()}
        for name in {"opens_at", "closes_at"} & self.fields.keys():
            self.fields[name].help_text = said

    def clean_slug(self) -> str:
        """Refuse the names that addresses of the shop have already."""
        slug: str = self.cleaned_data["slug"]
        if slug in RESERVED_SLUGS:
            raise ValidationError(_("This word is an address of the shop. Choose another slug."))
        return slug

    def clean(self) -> dict[str, Any]:
        """Check what belongs together: the two times, the line and its rate, the question and its answers."""
        cleaned = super().clean() or self.cleaned_data
        self._check_news()
        self._check_times(cleaned)
        self._check_line(cleaned)
        self._check_question(cleaned)
        return cleaned

    def _check_news(self) -> None:
        """Refuse a form from before somebody else did something; what was typed stays, to be sent again."""
        seen = self.data.get("seen", "")
        if self.instance.pk and seen.isdecimal():
            try:
                audit.refuse_old(sale=self.instance, seen=int(seen))
            except Stale as error:
                self.add_error(None, str(error))

    def _check_times(self, cleaned: dict[str, Any]) -> None:
        opens_at = cleaned.get("opens_at", self.instance.opens_at)
        closes_at = cleaned.get("closes_at")
        now = timezone.now()
        if opens_at and closes_at and closes_at <= opens_at:
            self.add_error("closes_at", _("The sale must close after it opens."))
        elif closes_at and closes_at <= now and "closes_at" in self.changed_data:
            self.add_error("closes_at", _("The sale would be over already. Choose a time to come."))
        is_slip = "opens_at" in self.changed_data and not cleaned.get("opens_at_once")
        if opens_at and opens_at < now and is_slip and "opens_at" in cleaned:
            self.add_error(
                "opens_at", _("This time has passed. Choose one to come, or tick that it may open at once.")
            )

    def _check_line(self, cleaned: dict[str, Any]) -> None:
        if "rate" not in cleaned or cleaned["rate"]:
            return
        for field, sentence in NEEDS_A_RATE.items():
            if cleaned.get(field):
                self.add_error(field, sentence)

    def _check_question(self, cleaned: dict[str, Any]) -> None:
        has_answers = any(line.strip() for line in cleaned.get("answers", "").splitlines())
        if cleaned.get("question") and not has_answers:
            self.add_error("answers", _("Give at least one right answer to the question, one a line."))
        if has_answers and not cleaned.get("question"):
            self.add_error("question", _("Write the question that these answers belong to."))


class ItemForm(forms.ModelForm):  # type: ignore[type-arg]
    """One variant in a sale."""

    price = MoneyField(label=_("Sale price"), widget=UnfoldAdminTextInputWidget, help_text="")

    class Meta:
        model = SaleItem
        fields = ("variant", "price", "quantity", "limit")
        error_messages = {
            "quantity": {"min_value": _("Put at least one unit into the sale.")},
            "limit": {"min_value": _("Everybody may have at least one.")},
        }

    def clean(self) -> dict[str, Any]:
        """Refuse more units than there are in ordinary stock, from where scheduling takes them."""
        cleaned = super().clean() or self.cleaned_data
        variant, quantity = cleaned.get("variant"), cleaned.get("quantity")
        if variant and quantity and quantity > variant.stock:
            sentence = gettext("Only %(stock)d of %(variant)s are in ordinary stock.")
            self.add_error("quantity", sentence % {"stock": variant.stock, "variant": variant})
        return cleaned


class ItemFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    """The items of a sale, none of which another sale sells at the same time."""

    def clean(self) -> None:
        """Name every clash, with a link to the other sale."""
        super().clean()
        clashes = clashing(
            self.instance, [form.instance.variant_id for form in self.forms if self._counts(form)]
        )
        if clashes:
            raise ValidationError(clashes)

    def _counts(self, form: Any) -> bool:
        # The instance, not what was cleaned: items that may only be read are not cleaned at all.
        is_deleted = getattr(form, "cleaned_data", {}).get("DELETE")
        return form.instance.variant_id is not None and not is_deleted


def clashing(sale: Sale, variants: list[int]) -> list[SafeString]:
    """Return one sentence for each other scheduled sale of the same variant at the same time."""
    times: tuple[datetime | None, ...] = (sale.opens_at, sale.closes_at)
    if None in times:
        return []
    return [_clash(other) for other in scheduling.overlapping(sale=sale, variants=variants)]


def _clash(other: SaleItem) -> SafeString:
    # Its own values are escaped one by one; the sentence itself is ours.
    sentence = gettext(
        "{variant} is in the sale <a href='{url}'>{sale}</a> at the same time, from {opens} to {closes}."
    )
    return format_html(
        sentence,
        variant=other.variant,
        url=reverse("admin:flashsale_sale_change", args=[other.sale_id]),
        sale=other.sale.title,
        opens=moment(other.sale.opens_at),
        closes=moment(other.sale.closes_at),
    )


class WhitelistForm(forms.Form):
    """A file of addresses."""

    file = forms.FileField(
        label=_("File"),
        widget=UnfoldAdminFileFieldWidget,
        help_text=_(
            "Text or CSV in UTF-8, or XLSX, up to 10 MB: one address a line, or a column named email."
        ),
        error_messages={
            "required": _("Choose a file."),
            "empty": _("The file is empty."),
        },
    )
    replace = forms.BooleanField(
        label=_("Replace the present list"),
        required=False,
        widget=UnfoldBooleanWidget,
        help_text=_("Otherwise the addresses are added to it."),
    )


class RateForm(forms.Form):
    """Another rate for a sale that has opened. `seen` is the last thing that was done when it was drawn."""

    rate = forms.IntegerField(
        label=_("Shoppers served a second"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Empty for no limit. Nothing changes before you have read what follows from it."),
        error_messages={
            "min_value": _("Serve at least one shopper a second; to serve nobody, pause the sale."),
            "max_value": _("Serve at most a million a second, or leave it empty for no limit."),
            "invalid": _("Write a whole number such as 200."),
        },
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, sale: Sale, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sale = sale

    def clean_rate(self) -> int | None:
        """Refuse the present rate, and no limit where lots are drawn."""
        rate: int | None = self.cleaned_data["rate"]
        if rate is None and (self.sale.tie_band or self.sale.shuffle_at_open):
            raise ValidationError(_("This sale draws lots, so it needs an admission rate."))
        if rate == self.sale.rate:
            raise ValidationError(_("This is its rate already. Nothing was done."))
        return rate
