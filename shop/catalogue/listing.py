"""Which products are listed, and in what order: one answer for the pages and for the API."""

from dataclasses import dataclass

from django.db.models import Count, F, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from shop.catalogue import search
from shop.catalogue.models import Category, Product, ProductQuerySet

PAGE_SIZE = 24
NEWEST = "newest"
SORTS = {
    NEWEST: _("Newest first"),
    "price-up": _("Price, low to high"),
    "price-down": _("Price, high to low"),
    "name": _("Name"),
}
_NAME = (Lower("title").asc(), F("pk").asc())
_ORDERS: dict[str, tuple[OrderBy, ...]] = {
    NEWEST: (F("created_at").desc(), F("pk").desc()),
    "price-up": (F("lowest").asc(), *_NAME),
    "price-down": (F("lowest").desc(), *_NAME),
    "name": _NAME,
}


@dataclass(frozen=True)
class Choice:
    """What a shopper asked a list for."""

    category: str = ""
    text: str = ""
    sort: str = ""


def products(*, choice: Choice) -> ProductQuerySet:
    """Published products with all that a card shows.

    Without an order that we know: the best match first if there are words, else the newest.
    """
    found = search.matching(text=choice.text) if choice.text else Product.objects.published().with_parts()
    if choice.category:
        found = found.filter(category__slug=choice.category)
    if choice.text and choice.sort not in _ORDERS:
        return found
    return found.priced().order_by(*_ORDERS.get(choice.sort, _ORDERS[NEWEST]))


def address(*, category: str, page: int) -> str:
    """Return the one address of a list, whatever order it is looked at in."""
    query = {"category": category} if category else {}
    return reverse("catalogue", query={**query, "page": page} if page > 1 else query)


def categories() -> "QuerySet[Category]":
    """The categories in which something is published."""
    published = Count("products", filter=Q(products__published=True, products__variants__isnull=False))
    return Category.objects.annotate(size=published).filter(size__gt=0).order_by("position", "name")
