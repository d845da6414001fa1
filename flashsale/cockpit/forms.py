"""What the forms of all actions of the cockpit have in common."""

from typing import Any

from django import forms
from django.utils.translation import gettext

from flashsale.models import Sale


class ActionForm(forms.Form):
    """What every action sends: the last thing that was done when its page was drawn."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, sale: Sale, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.sale = sale
        self.effects = [gettext("Nothing is done before you confirm it.")]

    def act(self, by: Any, seen: int | None) -> str:
        """Do it; raises SaleError."""
        raise NotImplementedError
