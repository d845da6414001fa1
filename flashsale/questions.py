"""The product question at the entry to a sale: the merchandiser's own, else what the catalogue can answer.

A question is named by its place in the list of its sale. Whoever chooses among them gains nothing: each is
answered by the page of its product, for people and for programs alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from flashsale.models import Sale
from shop.catalogue.models import Variant

OWN, CATEGORY, VENDOR, OPTION = "own", "category", "vendor", "option"
NO_OPTION = "Default Title"
MOST = 12


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked `about` (a product's title, or the merchandiser's words), and its answers, folded."""

    kind: str
    about: str
    url: str
    option: str = ""
    answers: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        """The question in the reader's language."""
        if self.kind == OWN:
            return self.about
        texts = {
            CATEGORY: _("In which part of the catalogue is %(product)s?"),
            VENDOR: _("Which brand makes %(product)s?"),
            OPTION: _("Which %(option)s of %(product)s is in this sale?"),
        }
        return texts[self.kind] % {"product": self.about, "option": self.option}

    def is_answer(self, given: str) -> bool:
        """Whether this is one of the right answers; capitals and white space do not matter."""
        return folded(given) in self.answers


def folded(text: str) -> str:
    """Return a text as answers are compared: small letters, single spaces."""
    return " ".join(text.split()).casefold()


def of(sale: Sale) -> list[Question]:
    """Return what may be asked at the entry to a sale, in a fixed order; empty if there is nothing to ask."""
    if sale.asks_question:
        answers = frozenset(filter(None, map(folded, sale.answers.splitlines())))
        return [Question(OWN, sale.question, sale.get_absolute_url(), answers=answers)]
    if not sale.captcha:
        return []
    asked: dict[Question, set[str]] = {}
    variants = Variant.objects.filter(sale_items__sale=sale, product__published=True)
    for variant in variants.select_related("product__category").order_by("sale_items__pk"):
        for question, answer in _facts(variant):
            asked.setdefault(question, set()).add(folded(answer))
    return [replace(question, answers=frozenset(right)) for question, right in asked.items()][:MOST]


def _facts(variant: Variant) -> Iterator[tuple[Question, str]]:
    """Ask what the public page of the product tells, each with its answer."""
    product = variant.product
    about, url = product.title, product.get_absolute_url()
    if product.category:
        yield Question(CATEGORY, about, url), product.category.name
    if product.vendor:
        yield Question(VENDOR, about, url), product.vendor
    for name, value in zip(product.option_names, variant.options, strict=False):
        if name and value and value != NO_OPTION:
            yield Question(OPTION, about, url, option=name.lower()), value
