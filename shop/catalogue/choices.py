"""How the variants of a product are put to a shopper: radio buttons under headings."""

from collections.abc import Sequence
from dataclasses import dataclass

from shop.catalogue.models import Product, Variant


@dataclass(frozen=True)
class Offer:
    """One radio button: a variant and the words beside it."""

    variant: Variant
    words: str


@dataclass(frozen=True)
class Group:
    """Radio buttons under one heading; the heading is empty where a product has one option only."""

    heading: str
    offers: Sequence[Offer]


def groups(product: Product) -> list[Group]:
    """The variants in groups: of two options or more, the first one's values are the headings.

    Each button is one whole variant, so that no choice leads to a combination that does not exist and the
    form works without a script.
    """
    if len(product.option_names) < 2:
        offers = [Offer(variant, variant.label or variant.sku) for variant in product.variants.all()]
        return [Group("", offers)]
    found: dict[str, list[Offer]] = {}
    for variant in product.variants.all():
        values = [str(value) for value in variant.options] or [variant.sku]
        words = " / ".join(value for value in values[1:] if value)
        found.setdefault(values[0], []).append(Offer(variant, words or values[0]))
    return [Group(heading, offers) for heading, offers in found.items()]


def chosen(product: Product, wanted: str) -> Variant:
    """The variant whose button is on: the one asked for by id if it is in stock, or the cheapest."""
    named = [variant for variant in product.variants.all() if str(variant.pk) == wanted and variant.stock]
    return named[0] if named else product.cheapest
