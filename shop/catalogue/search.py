"""Finding products by words: PostgreSQL's full text, and trigrams for what was mistyped."""

from django.contrib.postgres.search import SearchQuery, SearchRank, TrigramWordDistance
from django.db.models import F

from shop.catalogue.models import Product, ProductQuerySet

FARTHEST = 0.6
"""Trigram distance (0 equal, 1 nothing in common) up to which a title counts as nearly what was typed."""
MOST_NEAR = 12


def matching(*, text: str) -> ProductQuerySet:
    """Published products with all the words, best first: a word in the title outweighs one in the text.

    Understands "quoted phrases", OR and -without, as web searches do; never fails on what is typed.
    """
    query = SearchQuery(text, config="english", search_type="websearch")
    rank = SearchRank(F("search"), query)
    found = Product.objects.published().with_parts().filter(search=query)
    return found.annotate(rank=rank).order_by("-rank", "title", "pk")


def nearly(*, text: str) -> list[Product]:
    """Published products whose title looks like the text, nearest first, at most 12: for typing errors."""
    distance = TrigramWordDistance(text, "title")
    products = Product.objects.published().with_parts().annotate(distance=distance)
    # The index hands them out by distance, so it is read no further than to the twelfth; a condition on the
    # distance would make it look at every title in the shop.
    nearest = products.order_by("distance", "title", "pk")[:MOST_NEAR]
    return [product for product in nearest if vars(product)["distance"] <= FARTHEST]
