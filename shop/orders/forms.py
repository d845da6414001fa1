"""What shoppers fill in between the cart and the paid order."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.forms import AddressPartsForm
from shop.orders.carts import MOST
from shop.orders.shipping import ADDRESS


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


class CheckoutForm(AddressPartsForm):
    """Who orders and where it goes: seven fields for a guest, fewer where nothing is sent."""

    email = forms.EmailField(
        label=_("E-mail"),
        help_text=_("The receipt goes there."),
        error_messages={
            "required": _("Enter your e-mail address, so that the receipt reaches you."),
            "invalid": _("Enter an e-mail address such as name@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )
    field_order = ("email", "full_name", *ADDRESS[1:])

    def __init__(self, *args: Any, asks_email: bool, asks_address: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks_email:
            del self.fields["email"]
        if not asks_address:
            for name in ADDRESS[1:]:
                del self.fields[name]

    def address(self) -> dict[str, str]:
        """Return the address of a form without errors; what was not asked for is empty."""
        address = {name: str(self.cleaned_data.get(name) or "") for name in ADDRESS}
        return {**address, "postcode": address["postcode"].upper()}


class BankForm(forms.Form):
    """What the bank of the trial payment shall answer."""

    answer = forms.ChoiceField(choices=[("confirmed", _("Accept")), ("rejected", _("Refuse"))])
