"""The page of entry: its form with one question of the sale, and how it is drawn."""

from collections.abc import Sequence
from typing import NamedTuple

from django.contrib.messages import get_messages
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse, QueryDict
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language

from accounts import next_page
from accounts.captcha import Challenge, new_challenge
from flashsale import drawn_once, entry, questions, showing, work
from flashsale.drawn_once import MARKS, Own
from flashsale.forms import EntryForm
from flashsale.models import Sale
from flashsale.questions import Question
from shop.preferences import scheme_of

TEMPLATE = "flashsale/enter.html"


class Known(NamedTuple):
    """A sale's row, its questions and its crowd (entries a minute), at most a second old.

    What is final, the gate decides.
    """

    sale: Sale
    questions: list[Question]
    crowd: float = 0

    @property
    def has_check(self) -> bool:
        """Whether one has to prove that one is human."""
        return self.sale.captcha or self.sale.proof_of_work or bool(self.questions)


def recent(slug: str) -> Known:
    """Return what is known of a sale or a rehearsal; 404 for drafts."""
    rows = caches["process"]
    known: Known | None = rows.get(f"sale-{slug}")
    if known is None:
        sale = get_object_or_404(showing.scheduled(), slug=slug)
        known = Known(sale, questions.of(sale), work.crowd_of(sale.pk) if sale.proof_of_work else 0)
        rows.set(f"sale-{slug}", known, 1)
    return known


def form_of(
    request: HttpRequest,
    known: Known,
    *,
    data: QueryDict | None = None,
    step: int = 0,
    kept: Sequence[str] = (),
    challenge: Challenge | None = None,
) -> EntryForm:
    """Return the form with the question `step` places after the last one; `kept` names what was typed."""
    return EntryForm(
        data,
        initial={name: request.POST.get(name, "") for name in kept},
        request=request,
        sale=known.sale,
        questions=known.questions,
        number=_number(request, known, step),
        challenge=challenge,
    )


def draw(request: HttpRequest, known: Known, form: EntryForm, **more: object) -> HttpResponse:
    """Draw the page; `more` is what it says of this request."""
    return render(request, TEMPLATE, _context(request, known, form) | more)


def first(request: HttpRequest, known: Known) -> HttpResponse:
    """Give the page to somebody who has answered nothing yet: mostly the one that all get."""
    challenge = new_challenge(request) if known.sale.captcha else Challenge("")
    is_drawn = bool(challenge.picture) or not known.sale.captcha
    if not (is_drawn and _is_like_all(request, known)):
        return draw(request, known, form_of(request, known, challenge=challenge))

    token, onward = get_token(request), next_page.wanted(request)
    own = Own(token, onward, challenge.key, challenge.picture, _work(request, known))

    def draw_once() -> str:
        form = form_of(request, known, challenge=Challenge(MARKS.key, MARKS.picture))
        marks = {"csrf_token": MARKS.token, "next": MARKS.next, "work": own.work and MARKS.work}
        return render_to_string(TEMPLATE, _context(request, known, form) | marks, request)

    seen = (get_language(), scheme_of(request), request.session.get("cart_count", 0))
    parts = (known.sale.pk, _number(request, known), *seen)
    return HttpResponse(drawn_once.page("-".join(map(str, ("entry", *parts))), own, draw_once))


def _is_like_all(request: HttpRequest, known: Known) -> bool:
    """Whether the page says nothing of this shopper but what stands in `Own`."""
    is_plain = request.GET.keys() <= {"next"} and not get_messages(request)
    return is_plain and known.has_check and not entry.has_entered(request=request, sale=known.sale)


def _number(request: HttpRequest, known: Known, step: int = 0) -> int:
    """Return which question is asked: counted from the last one, else one that differs by shopper."""
    asked = request.POST.get("asked", "")[:4]
    number = int(asked) if asked.isdecimal() else int(request.user.pk or 0)
    return (number + step) % max(1, len(known.questions))


def _work(request: HttpRequest, known: Known) -> str:
    """Return a new challenge for the browser; empty where the sale asks for none."""
    if not known.sale.proof_of_work:
        return ""
    return work.ask(user=request.user.pk or 0, sale=known.sale.pk, most=work.most_for(known.crowd))


def _context(request: HttpRequest, known: Known, form: EntryForm) -> dict[str, object]:
    return {
        "sale": known.sale,
        "form": form,
        "work": _work(request, known),
        "entered": entry.has_entered(request=request, sale=known.sale),
        "pass_until": entry.expires_at(sale=known.sale, now=timezone.now()),
        "next": next_page.wanted(request),
        "section": "sales",
    }
