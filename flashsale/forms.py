"""What a shopper fills in on the way into a sale."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.captcha import CaptchaForm
from flashsale import entry
from flashsale.models import Sale


class EntryForm(CaptchaForm):
    """The checks before the line: letters, a question, both or neither, as the sale has it."""

    answer = forms.CharField(
        max_length=200, error_messages={"required": _("Enter your answer to the question.")}
    )

    def __init__(self, *args: Any, request: HttpRequest, sale: Sale, **kwargs: Any) -> None:
        super().__init__(*args, request=request, **kwargs)
        self.sale = sale
        if not sale.captcha or entry.has_proof(request=request, sale=sale):
            self._drop("captcha", "captcha_key")
        if sale.asks_question:
            self.fields["answer"].label = sale.question
        else:
            self._drop("answer")

    def clean_answer(self) -> str:
        """Refuse a wrong answer."""
        answer: str = self.cleaned_data["answer"]
        if not self.sale.is_right_answer(answer):
            raise ValidationError(_("This is not the answer. The page of the product tells it."))
        return answer

    def clean(self) -> dict[str, Any]:
        """Keep a solved captcha when something else was wrong: it cannot be solved twice."""
        cleaned = super().clean() or self.cleaned_data
        if self.errors and "captcha" in cleaned:
            entry.remember_proof(request=self.request, sale=self.sale)
            self._drop("captcha", "captcha_key")
        return cleaned

    def _drop(self, *names: str) -> None:
        for name in names:
            del self.fields[name]
