"""Files for the import."""

import csv
from pathlib import Path

import pytest
from django.conf import settings

FIRST = {
    "Handle": "lamp",
    "Title": "Lamp",
    "Body (HTML)": "<p>Bright</p>",
    "Vendor": "Ember",
    "Type": "Light",
    "Tags": "Brass, Desk",
    "Published": "true",
    "Option1 Name": "Title",
    "Option1 Value": "Default Title",
    "Option2 Name": "",
    "Option2 Value": "",
    "Option3 Name": "",
    "Option3 Value": "",
    "Variant SKU": "",
    "Variant Inventory Qty": "3",
    "Variant Price": "49.00",
    "Variant Compare At Price": "",
    "Variant Requires Shipping": "true",
    "Image Src": "",
    "Image Position": "",
    "Image Alt Text": "",
}
"""The columns that we read, with a product that has no options."""


def row(**changes: str) -> dict[str, str]:
    """A first row, changed; underscores stand for spaces: `Variant_Price="5"`."""
    return FIRST | {name.replace("_", " "): value for name, value in changes.items()}


def more(handle: str = "lamp", **changes: str) -> dict[str, str]:
    """A further row of a product: empty but for the handle and what is given."""
    empty = dict.fromkeys(FIRST, "")
    return empty | {"Handle": handle} | {name.replace("_", " "): value for name, value in changes.items()}


def sizes(*values: str, **changes: str) -> list[dict[str, str]]:
    """A lamp in sizes, one row each."""
    first = row(Option1_Name="Size", Option1_Value=values[0], **changes)
    price = {"Variant_Price": "49.00", "Variant_Inventory_Qty": "3"}
    return [first, *(more(Option1_Value=value, **price) for value in values[1:])]


def a_file(folder: Path, *rows: dict[str, str]) -> Path:
    path = folder / "products.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIRST)
        writer.writeheader()
        writer.writerows(rows)
    return path


def shared(name: str) -> Path:
    """One of the three real catalogues, which lie beside the repository; the test is skipped without them."""
    path = Path(settings.BASE_DIR).parent / "shared" / "data" / name
    if not path.exists():
        pytest.skip(f"the reference catalogue {name} is not beside the repository")
    return path
