"""What a shopper fills in on the way into a sale."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.captcha import CaptchaForm, Challenge, new_challenge, shown_again, solve
from flashsale import entry_link, work
from flashsale.models import Sale
from flashsale.questions import Question
from flashsale.work import Fault

NOTHING_GIVEN = _("Type the letters, answer the question, or ask for a link: any one is enough.")
OTHER_LETTERS = _("These were other letters. Try again with the new ones below.")
OTHER_ANSWER = _("This is not the answer. The page of the product tells it.")
LINK_ENDED = _(
    "This link has ended, or was made for another account. Ask for a new one, or choose another way."
)
FAULTS = {
    Fault.MISSING: _(
        "Your browser had not finished its check. It runs again below; wait for “Checked.”, or have a"
        " link sent."
    ),
    Fault.OTHER: _(
        "The check of your browser belongs to another account or sale. A new one runs below; enter again."
    ),
    Fault.ENDED: _("The check of your browser is older than ten minutes. A new one runs below; enter again."),
    Fault.USED: _(
        "The check of your browser was used before, and each counts once. A new one runs below; enter again."
    ),
}


class EntryForm(CaptchaForm):
    """The ways to prove that one is human: any one that is right is enough, whatever stands in the others.

    Proof of work is asked for beside them, and a link spares it. `number` is the question that is asked. A
    sale without a check has no fields. A link is never typed: it comes with the address in the mail. `missed`
    are the checks ("work", "question", "captcha") that were tried in vain, where none was right.
    """

    answer = forms.CharField(label=_("Your answer"), max_length=200, required=False)
    link = forms.CharField(required=False, widget=forms.HiddenInput)
    work = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args: Any,
        request: HttpRequest,
        sale: Sale,
        questions: Sequence[Question],
        number: int,
        challenge: Challenge | None = None,
        **more: Any,
    ) -> None:
        super().__init__(*args, request=request, **more)
        self.sale, self.number, self._challenge = sale, number, challenge
        self.question = questions[number] if questions else None
        self._letters_tried = False
        self.missed: list[str] = []
        self.fields["captcha"].required = False
        if not sale.captcha:
            self._drop("captcha", "captcha_key")
        if self.question is None:
            self._drop("answer")
        if not sale.proof_of_work:
            self._drop("work")
        if not (sale.captcha or questions or sale.proof_of_work):
            self._drop("link")

    @property
    def has_ways(self) -> bool:
        """Whether letters or a question are asked for."""
        return "captcha" in self.fields or "answer" in self.fields

    def clean_captcha(self) -> str:
        """Leave the letters to `clean`: a challenge is not used up where another way was right."""
        letters: str = self.cleaned_data["captcha"]
        return letters

    def clean(self) -> dict[str, Any]:
        """Refuse only if no way is right, and then say so of each that was tried.

        The work comes before the letters: where it does not count, they are not used up.
        """
        given = super().clean() or self.cleaned_data
        if self.fields and not self._has_link(given):
            fault = self._fault_of_work(given)
            if fault or not self._is_human(given):
                self._say_what_was_wrong(given, fault)
                return given
        self.errors.clear()
        return given

    def _say_what_was_wrong(self, given: dict[str, Any], fault: Fault | None) -> None:
        if given.get("link"):
            self.add_error(None, LINK_ENDED)
        elif fault:
            self.add_error(None, FAULTS[fault])
        if fault:
            self.missed.append("work")
            return  # the letters were not tried, and are drawn again with what was typed
        if given.get("answer"):
            self.missed.append("question")
            self.add_error("answer", OTHER_ANSWER)
        if given.get("captcha"):
            self.missed.append("captcha")
            self.add_error("captcha", OTHER_LETTERS)
            self.data = dict(self.data.items()) | {"captcha": ""}  # they belong to letters that are gone
        if not self.errors:
            self.add_error("captcha" if "captcha" in self.fields else "answer", NOTHING_GIVEN)

    def challenge(self) -> Challenge:
        """Return the challenge of the page: the one that is there already, unless its letters were tried."""
        if self._challenge is not None:
            return self._challenge
        source = self.data if self.is_bound else self.initial
        kept = None if self._letters_tried else shown_again(self.request, source.get("captcha_key", ""))
        return kept or new_challenge(self.request)

    def _fault_of_work(self, given: dict[str, Any]) -> Fault | None:
        if not self.sale.proof_of_work:
            return None
        return work.take(given.get("work", ""), user=self.request.user.pk or 0, sale=self.sale.pk)

    def _is_human(self, given: dict[str, Any]) -> bool:
        return not self.has_ways or self._has_answer(given) or self._has_letters(given)

    def _has_link(self, given: dict[str, Any]) -> bool:
        token: str = given.get("link", "")
        return bool(token) and entry_link.holder(token, sale=self.sale) == self.request.user.pk

    def _has_answer(self, given: dict[str, Any]) -> bool:
        return self.question is not None and self.question.is_answer(given.get("answer", ""))

    def _has_letters(self, given: dict[str, Any]) -> bool:
        letters = given.get("captcha", "")
        self._letters_tried = bool(letters)
        return bool(letters) and solve(self.request, given.get("captcha_key", ""), letters)

    def _drop(self, *names: str) -> None:
        for name in names:
            del self.fields[name]
