"""Units on their way between regions, in the admin: begin a move, see where it is, take it back."""

from functools import partial
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from redis.exceptions import RedisError
from unfold.admin import ModelAdmin

from accounts.models import User
from flashsale import audit, transfers, unit_client
from flashsale.errors import SchedulingError
from flashsale.models import Sale, SaleItem, Transfer
from flashsale.unit_client import UnitAway


class TransferForm(forms.ModelForm):  # type: ignore[type-arg]
    """How many free units of which item go where."""

    region = forms.ChoiceField(label=_("other region"))

    class Meta:
        model = Transfer
        fields = ("item", "units", "region")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        region, item = self.fields["region"], self.fields["item"]
        cast(forms.ChoiceField, region).choices = [(name, name) for name in unit_client.regions()]
        scheduled = SaleItem.objects.filter(sale__state=Sale.State.SCHEDULED)
        cast("forms.ModelChoiceField[SaleItem]", item).queryset = scheduled.select_related(
            "sale", "variant__product"
        )
        item.required = True

    def clean(self) -> dict[str, Any]:
        """Say in the form why units cannot move."""
        found = super().clean() or {}
        if not self.errors:
            try:
                transfers.check(item=found["item"], units=found["units"], region=found["region"])
            except SchedulingError as error:
                raise forms.ValidationError(str(error)) from error
        return found


@admin.register(Transfer)
class TransferAdmin(ModelAdmin):
    """The rows are written by the transfer itself."""

    form = TransferForm
    list_display = ("created_at", "item", "units", "region", "state")
    list_filter = ("state", "region")
    list_select_related = ("item__sale", "item__variant__product")
    actions = ("take_back",)

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """A move that was begun is only read."""
        if obj is not None:
            kwargs["form"] = forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, _obj: Transfer, form: Any, _change: bool) -> None:
        """Begin the move once the admin's transaction is over: it has its own, and asks the other region."""
        transaction.on_commit(partial(self._begin, request, form.cleaned_data))

    def _begin(self, request: HttpRequest, asked: dict[str, Any]) -> None:
        """Beat goes on with it where a store or the other region does not answer."""
        try:
            begun = transfers.send(item=asked["item"], units=asked["units"], region=asked["region"])
            what = f"{begun.units} → {begun.region}"
            audit.note(sale=asked["item"].sale, by=cast(User, request.user), what=what)
            transfers.go_on(transfer=begun)
        except (SchedulingError, RedisError, UnitAway) as error:
            messages.warning(request, str(error))

    @admin.action(description=_("Take back what has not arrived"), permissions=["add"])
    def take_back(self, request: HttpRequest, chosen: QuerySet[Transfer]) -> None:
        """Ask the other region to refuse them for ever; without its word they stay on their way."""
        for transfer in chosen:
            try:
                state = Transfer.State(transfers.take_back(transfer=transfer))
            except UnitAway as error:
                messages.error(request, str(error))
            else:
                sentence = ngettext("%(n)d unit: %(state)s", "%(n)d units: %(state)s", transfer.units)
                messages.info(request, sentence % {"n": transfer.units, "state": state.label})
