"""What a shopper may ask of the catalogue."""

from django import forms
from django.utils.translation import gettext_lazy as _

from shop.catalogue.listing import SORTS

LONGEST_SEARCH = 200


class SortForm(forms.Form):
    """The order of a list."""

    sort = forms.ChoiceField(label=_("Sort by"), choices=SORTS.items(), required=False)


class SearchForm(forms.Form):
    """The words of a search; none is a form that nobody has filled in yet."""

    q = forms.CharField(
        label=_("Search the shop"),
        required=False,
        max_length=LONGEST_SEARCH,
        error_messages={"max_length": _("Search with at most %(limit_value)d characters.")},
    )
