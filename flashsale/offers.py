"""A sale as search engines read it (schema.org): the same price, time and availability as on its page."""

from typing import Any

from django.conf import settings

from flashsale.showing import Shown, ShownItem
from shop import money

SCHEMA = "https://schema.org/"


def of(shown: Shown) -> list[dict[str, Any]]:
    """Return one Product with its Offer for each item of the sale."""
    return [_product(shown, one) for one in shown.items]


def _product(shown: Shown, one: ShownItem) -> dict[str, Any]:
    product = one.product
    return {
        "@context": SCHEMA,
        "@type": "Product",
        "name": str(one.item.variant),
        "sku": one.item.variant.sku,
        "image": [settings.SHOP_URL + picture.url for picture in product.pictures[:1]],
        "offers": _offer(shown, one),
    }


def _offer(shown: Shown, one: ShownItem) -> dict[str, Any]:
    sale, item = shown.sale, one.item
    return {
        "@type": "Offer",
        "url": settings.SHOP_URL + sale.get_absolute_url(),
        "price": str(money.major(item.price)),
        "priceCurrency": settings.SHOP_CURRENCY,
        "availability": SCHEMA + _availability(shown.phase, one),
        "validFrom": sale.opens_at.isoformat(),
        "priceValidUntil": sale.closes_at.isoformat(),
    }


def _availability(phase: str, one: ShownItem) -> str:
    if phase == "coming":
        return "PreSale"
    if phase == "ended":
        return "Discontinued"
    if one.free == 0:
        return "BackOrder" if one.standby_free else "SoldOut"
    return "LimitedAvailability"
