"""The demo shop's own products, from `demo.json`."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict

from django.db import transaction
from django.utils import timezone

from shop.catalogue.models import Category, Product, ProductImage, Variant
from shop.catalogue.prose import clean

FILE = Path(__file__).with_name("demo.json")


class SlotEntry(TypedDict):
    """A place, and a time given as days from today and the hour of that day."""

    place: str
    starts_in_days: int
    hour: int


@transaction.atomic
def load() -> int:
    """Add the products that are not there yet and return their number.

    What is there stays as it is, sold and repriced, but for slots that have passed: they come round again.
    """
    entries = json.loads(FILE.read_text("utf-8"))
    categories = _load_categories(entries["categories"])
    known = set(Product.objects.values_list("handle", flat=True))
    missing = [entry for entry in entries["products"] if entry["handle"] not in known]
    for entry in missing:
        _load_product(entry, categories[entry["category"]])
    for entry in entries["products"]:
        _renew_slots(entry["variants"])
    return len(missing)


def _load_categories(entries: list[dict[str, str]]) -> dict[str, Category]:
    for position, entry in enumerate(entries, 1):
        about = {"name": entry["name"], "description": entry["description"], "position": position}
        Category.objects.get_or_create(slug=entry["slug"], defaults=about)
    return Category.objects.in_bulk([entry["slug"] for entry in entries], field_name="slug")


def _load_product(entry: dict[str, Any], category: Category) -> None:
    product = Product.objects.create(
        handle=entry["handle"],
        title=entry["title"],
        body=clean(entry["body"]),
        vendor=entry["vendor"],
        kind=entry["kind"],
        category=category,
        option_names=list(entry["variants"][0]["options"]),
    )
    picture = f"products/{entry['picture']}"
    ProductImage.objects.create(product=product, source=picture, alt=entry["alt"])
    Variant.objects.bulk_create(
        _variant(product, one, position) for position, one in enumerate(entry["variants"], 1)
    )


def _variant(product: Product, entry: dict[str, Any], position: int) -> Variant:
    slot: SlotEntry | None = entry.get("slot")
    return Variant(
        product=product,
        sku=entry["sku"],
        options=list(entry["options"].values()),
        price=entry["price"],
        compare_at=entry["compare_at"],
        stock=entry["stock"],
        position=position,
        slot_place=slot["place"] if slot else "",
        slot_starts_at=_starts_at(slot) if slot else None,
    )


def _renew_slots(entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        if "slot" in entry:
            passed = Variant.objects.filter(sku=entry["sku"], slot_starts_at__lt=timezone.now())
            passed.update(slot_starts_at=_starts_at(entry["slot"]))


def _starts_at(slot: SlotEntry) -> datetime:
    today = timezone.localtime().replace(hour=slot["hour"], minute=0, second=0, microsecond=0)
    return today + timedelta(days=slot["starts_in_days"])
