"""Forms of the account."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.addresses import AddressParts
from accounts.countries import COUNTRIES, WITHOUT_POSTCODES
from accounts.models import Address


class UncutForm(forms.Form):
    """Nothing that is typed or pasted is cut short by the browser: a text that is too long is told so.

    An address of mail is typed on keys that have an @.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs.pop("maxlength", None)
            if isinstance(field, forms.EmailField):
                field.widget.attrs["inputmode"] = "email"


class AddressPartsForm(UncutForm):
    """Where to send something: country first, every field with what browsers fill in by themselves."""

    country = forms.ChoiceField(
        label=_("Country"),
        choices=[("", _("Choose a country")), *COUNTRIES],
        error_messages={
            "required": _("Choose a country."),
            "invalid_choice": _("Choose a country of the list."),
        },
        widget=forms.Select(attrs={"autocomplete": "country"}),
    )
    full_name = forms.CharField(
        label=_("Full name"),
        max_length=200,
        error_messages={"required": _("Enter the full name of the person who receives it.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    line1 = forms.CharField(
        label=_("Address"),
        max_length=200,
        error_messages={"required": _("Enter a street and a number, for example 12 Mill Lane.")},
        widget=forms.TextInput(attrs={"autocomplete": "address-line1"}),
    )
    line2 = forms.CharField(
        label=_("Flat, unit"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line2"}),
    )
    postcode = forms.CharField(
        label=_("Postcode"),
        max_length=20,
        required=False,
        help_text=_("Leave it empty where there are no postcodes."),
        widget=forms.TextInput(attrs={"autocomplete": "postal-code", "class": "field-short"}),
    )
    city = forms.CharField(
        label=_("City"),
        max_length=100,
        error_messages={"required": _("Enter a city.")},
        widget=forms.TextInput(attrs={"autocomplete": "address-level2"}),
    )

    def clean(self) -> dict[str, Any]:
        """Ask for a postcode where the country has them."""
        cleaned = super().clean() or self.cleaned_data
        country = cleaned.get("country")
        if country and country not in WITHOUT_POSTCODES and not cleaned.get("postcode"):
            self.add_error("postcode", _("Enter a postcode, for example SW1A 1AA."))
        return cleaned

    def parts(self) -> AddressParts:
        """Return the address of a form that is valid."""
        data = self.cleaned_data
        return AddressParts(
            full_name=data["full_name"],
            country=data["country"],
            line1=data["line1"],
            line2=data["line2"],
            postcode=data["postcode"].upper(),
            city=data["city"],
        )


class AddressForm(AddressPartsForm):
    """One of a shopper's addresses; the default one does not ask whether it is the default."""

    make_default = forms.BooleanField(label=_("Offer this address first at checkout"), required=False)

    def __init__(self, *args: Any, address: Address | None = None, **kwargs: Any) -> None:
        if address is not None:
            kwargs.setdefault(
                "initial", {name: getattr(address, name) for name in self.base_fields if name in PARTS}
            )
        super().__init__(*args, **kwargs)
        if address is not None and address.is_default:
            del self.fields["make_default"]


PARTS = frozenset(AddressParts.__annotations__)
