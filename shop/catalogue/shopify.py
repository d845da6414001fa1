"""The product CSV format of Shopify: one row per variant or further picture, joined by the handle."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from django.core.exceptions import ValidationError
from django.core.validators import validate_unicode_slug
from django.utils.text import slugify
from django.utils.translation import gettext as _

from shop import money
from shop.catalogue import csvfile, prose
from shop.catalogue.csvfile import Row
from shop.catalogue.errors import BadRows, Problem, Unreadable
from shop.catalogue.models import Product

REQUIRED = ("Handle", "Title", "Variant Price")
OPTIONS = (1, 2, 3)
SHIPPED, COLLECTED = Product.Kind.SHIPPED, Product.Kind.COLLECTED
NO_OPTIONS = "Default Title"
"""What the format writes as the option value of a product that has no options."""


@dataclass
class VariantRow:
    """A variant of a file. Prices are minor units; `stock` is None where the file does not say.

    `slot` is the place and time of a slot; None leaves those of a variant as they are.
    """

    line: int
    sku: str
    options: list[str]
    price: int
    compare_at: int | None
    stock: int | None
    slot: tuple[str, datetime] | None = None


@dataclass(frozen=True)
class ImageRow:
    """A picture of a file: an address on the web and what it shows."""

    source: str
    alt: str
    position: int


@dataclass
class ProductRow:
    """A product of a file, its body cleaned."""

    line: int
    handle: str
    title: str
    body: str
    vendor: str
    category: str
    tags: str
    published: bool
    kind: Product.Kind
    option_names: list[str]
    variants: list[VariantRow] = field(default_factory=list)
    images: list[ImageRow] = field(default_factory=list)

    @property
    def category_slug(self) -> str:
        return slugify(self.category, allow_unicode=True)


def products(path: Path) -> list[ProductRow]:
    """Every product of a file.

    Raises Unreadable if it is not such a file, BadRows with every row that cannot be used.
    """
    found: dict[str, ProductRow | None] = {}
    problems = list(_read(path, found))
    complete = [product for product in found.values() if product]
    for product in complete:
        _settle_options(product)
    problems += [*_repeated_options(complete), *_repeated_skus(complete)]
    if problems:
        raise BadRows(problems)
    if not complete:
        raise Unreadable(_("%(file)s has a first line with names, but no products.") % {"file": path})
    return complete


def _read(path: Path, found: dict[str, ProductRow | None]) -> Iterable[Problem]:
    for row in csvfile.rows(path, required=REQUIRED):
        if isinstance(row, Problem):
            yield row
            continue
        try:
            _add(row, found)
        except ValueError as error:
            yield Problem(row.line, str(error))


def _add(row: Row, found: dict[str, ProductRow | None]) -> None:
    handle = _handle(row)
    first = handle not in found
    if first:
        found[handle] = None  # and stays so if this row is bad: its other rows then miss no title
        found[handle] = _product(row, handle)
    image = _image(row)
    variant = _variant(row) if first or _has_variant(row) else None
    if not image and not variant:
        raise ValueError(_("The row has neither a variant nor a picture."))
    product = found[handle]
    if product and variant:
        product.variants.append(variant)
    if product and image and image.source not in {one.source for one in product.images}:
        product.images.append(image)


def _handle(row: Row) -> str:
    handle = row.text("Handle", longest=200)
    if not handle:
        raise ValueError(_("Handle is missing."))
    try:
        validate_unicode_slug(handle)
    except ValidationError:
        text = _("Handle is “%(handle)s”; it may have letters, digits, hyphens and underscores.")
        raise ValueError(text % {"handle": handle}) from None
    return handle


def _product(row: Row, handle: str) -> ProductRow:
    product = ProductRow(
        line=row.line,
        handle=handle,
        title=row.text("Title", longest=200),
        body=prose.clean(row.text("Body (HTML)", longest=prose.LONGEST)),
        vendor=row.text("Vendor", longest=100),
        category=row.text("Type", longest=100),
        tags=row.text("Tags", longest=500),
        published=row.flag("Published", default=True),
        kind=SHIPPED if row.flag("Variant Requires Shipping", default=True) else COLLECTED,
        option_names=[row.text(f"Option{number} Name", longest=100) for number in OPTIONS],
    )
    if not product.title:
        raise ValueError(_("Title is missing in the first row of “%(handle)s”.") % {"handle": handle})
    if product.category and not product.category_slug:
        raise ValueError(_("Type is “%(type)s”; it needs a letter or a digit.") % {"type": product.category})
    return product


def _has_variant(row: Row) -> bool:
    named = [f"Option{number} Value" for number in OPTIONS]
    return any(row.fields.get(name, "").strip() for name in (*named, "Variant SKU", "Variant Price"))


def _variant(row: Row) -> VariantRow:
    price = _amount(row, "Variant Price")
    if price is None:
        raise ValueError(_("Variant Price is missing."))
    stock = row.number("Variant Inventory Qty")
    if stock is not None and stock > money.LARGEST:
        raise ValueError(_("Variant Inventory Qty is more than %(most)d.") % {"most": money.LARGEST})
    return VariantRow(
        line=row.line,
        sku=row.text("Variant SKU", longest=100),
        options=[row.text(f"Option{number} Value", longest=100) for number in OPTIONS],
        price=price,
        compare_at=_amount(row, "Variant Compare At Price") or None,
        stock=None if stock is None else max(stock, 0),
    )


def _amount(row: Row, name: str) -> int | None:
    text = row.text(name, longest=50)
    try:
        return money.minor(text) if text else None
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _image(row: Row) -> ImageRow | None:
    source = row.text("Image Src", longest=500)
    alt = row.text("Image Alt Text", longest=300)
    position = row.number("Image Position") or 1
    if not 1 <= position <= 32_767:
        raise ValueError(_("Image Position is %(position)d; it counts from 1.") % {"position": position})
    return ImageRow(source, alt, position) if source else None


def _settle_options(product: ProductRow) -> None:
    """Keep as many options as are named or used; a product without any has none rather than a default."""
    only = product.variants[0].options if len(product.variants) == 1 else []
    used = [product.option_names, *(variant.options for variant in product.variants)]
    width = max((number for values in used for number, value in enumerate(values, 1) if value), default=0)
    if only and only[0] == NO_OPTIONS:
        width = 0
    product.option_names = product.option_names[:width]
    for variant in product.variants:
        variant.options = variant.options[:width]


def _repeated_options(found: Iterable[ProductRow]) -> Iterable[Problem]:
    for product in found:
        seen: dict[tuple[str, ...], int] = {}
        for variant in product.variants:
            line = seen.setdefault(tuple(variant.options), variant.line)
            if line != variant.line:
                text = _("“%(handle)s” has the same options already on line %(line)d.")
                yield Problem(variant.line, text % {"handle": product.handle, "line": line})


def _repeated_skus(found: Iterable[ProductRow]) -> Iterable[Problem]:
    variants = [variant for product in found for variant in product.variants if variant.sku]
    counts = Counter(variant.sku for variant in variants)
    for variant in variants:
        if counts[variant.sku] > 1:
            text = _("Variant SKU “%(sku)s” stands on %(count)d rows; each variant has its own.")
            yield Problem(variant.line, text % {"sku": variant.sku, "count": counts[variant.sku]})
