"""What shoppers fill in between the cart and the paid order."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import AddressPartsForm, UncutForm
from shop.catalogue.models import Variant
from shop.orders.carts import MOST
from shop.orders.shipping import ADDRESS

E164 = re.compile(r"\+[1-9][0-9]{6,14}")


class CartLineForm(forms.Form):
    """A variant and how many of it; 0 takes it out of the cart where `least` is 0."""

    variant = forms.IntegerField(widget=forms.HiddenInput)
    quantity = forms.IntegerField(
        label=_("Quantity"),
        required=False,
        min_value=0,
        max_value=MOST,
        error_messages={
            "invalid": _("Enter the quantity as a whole number."),
            "min_value": _("Enter a quantity of 0 or more."),
            "max_value": _("Enter a quantity of at most %(limit_value)d."),
        },
    )

    def sentence(self) -> str:
        """Return what is wrong with the form, for a page that has no room for a summary."""
        return " ".join(str(error) for errors in self.errors.values() for error in errors)


class WishForm(UncutForm):
    """Where a mail goes that somebody asks for."""

    email = forms.EmailField(
        label=_("E-mail"),
        max_length=254,
        help_text=_("For this one mail only. It has a link that stops all mails of this kind."),
        error_messages={
            "required": _("Enter the e-mail address that we shall write to."),
            "invalid": _("Enter an e-mail address such as name@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )


class StockNoticeForm(WishForm):
    """Which of the variants that are sold out somebody waits for."""

    wanted = forms.ChoiceField(
        label=_("Tell me about"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose what you wait for."),
            "invalid_choice": _("Choose one of those that are sold out."),
        },
    )
    field_order = ("wanted", "email")

    def __init__(self, *args: Any, variants: Sequence[Variant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.variants = {str(variant.pk): variant for variant in variants}
        choices = [(pk, variant.label or str(variant)) for pk, variant in self.variants.items()]
        self.fields["wanted"].choices = choices  # type: ignore[attr-defined]
        self.fields["wanted"].initial = choices[0][0]

    def variant(self) -> Variant:
        """Return the variant of a form without errors."""
        return self.variants[self.cleaned_data["wanted"]]


class CheckoutForm(AddressPartsForm):
    """Who orders and where it goes: eight fields for a guest, fewer where nothing is sent."""

    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_("The receipt goes there."),
        error_messages={
            "required": _("Enter your e-mail address, so that the receipt reaches you."),
            "invalid": _("Enter an e-mail address such as name@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        required=False,
        help_text=_("Only for the carrier, should nobody open. With the country code: +44 20 7946 0018."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    field_order = ("email", "full_name", *ADDRESS[1:], "phone")

    def __init__(self, *args: Any, asks_email: bool, asks_address: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks_email:
            del self.fields["email"]
        if not asks_address:
            for name in (*ADDRESS[1:], "phone"):
                del self.fields[name]

    def clean_phone(self) -> str:
        """Return the number as it is dialled from anywhere (E.164), however grouped; empty for none."""
        typed = str(self.cleaned_data["phone"])
        number = re.sub(r"[\s().\-/]", "", typed)
        number = f"+{number[2:]}" if number.startswith("00") else number
        if number and not E164.fullmatch(number):
            raise forms.ValidationError(_("Enter a number with its country code, such as +44 20 7946 0018."))
        return number

    def address(self) -> dict[str, str]:
        """Return the address of a form without errors, and the phone; what was not asked for is empty."""
        address = {name: str(self.cleaned_data.get(name) or "") for name in (*ADDRESS, "phone")}
        return {**address, "postcode": address["postcode"].upper()}


class BankForm(forms.Form):
    """What the bank of the trial payment shall answer."""

    answer = forms.ChoiceField(choices=[("confirmed", _("Accept")), ("rejected", _("Refuse"))])
