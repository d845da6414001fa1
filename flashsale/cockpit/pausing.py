"""What an operator says of a pause: why, in words of his own too, and when he says more."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from flashsale import operating, pauses
from flashsale.cockpit.forms import ActionForm
from flashsale.models import Pause
from flashsale.pauses import Why
from flashsale.words import instant

REASONS = (("", _("Give no reason")), *Pause.Reason.choices)


class WhyForm(ActionForm):
    """Why it is paused, or is to be."""

    title, button = _("Pause “%(sale)s” and say why"), _("Pause, and tell this")
    reason = forms.ChoiceField(
        label=_("Reason"), choices=REASONS, required=False, widget=UnfoldAdminSelectWidget
    )
    words = forms.CharField(
        label=_("In words"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Shoppers of every language read this as you write it."),
        error_messages={"max_length": _("Write at most 200 characters.")},
    )
    minutes = forms.IntegerField(
        label=_("Minutes until you say more"),
        min_value=1,
        max_value=720,
        initial=pauses.NEWS_WITHIN // timedelta(minutes=1),
        widget=UnfoldAdminIntegerFieldWidget,
        error_messages={
            "required": _("Write a number of minutes such as 10."),
            "invalid": _("Write a number of minutes such as 10."),
            "min_value": _("Give yourself at least a minute."),
            "max_value": _("Say more within twelve hours."),
        },
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = gettext("Places and deadlines are kept as in any pause.")
        shown = gettext("Every page of the sale shows it at once, with the time until which you say more.")
        self.effects = [shown, kept]
        row = pauses.current(self.sale)
        if row is None:
            return
        self.title, self.button = _("Say more about the pause of “%(sale)s”"), _("Tell this")
        now = gettext("Shoppers read now: %(words)s") % {
            "words": pauses.sentence(row) or gettext("no reason.")
        }
        by = gettext("They were told that you say more by %(time)s.") % {"time": instant(row.news_at)}
        self.effects = [now, by, *self.effects]
        for name in ("reason", "words"):
            self.initial.setdefault(name, getattr(row, name))

    def act(self, by: Any, seen: int | None) -> str:
        """Tell it, and pause a sale that still runs."""
        news_at = timezone.now() + timedelta(minutes=self.cleaned_data["minutes"])
        why = Why(self.cleaned_data["reason"], self.cleaned_data["words"].strip(), news_at)
        return operating.explain(sale=self.sale, why=why, by=by, seen=seen)
