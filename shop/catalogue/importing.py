"""Writing a file's products into the catalogue: all of them or none; a second import updates."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.db.models import Max

from shop.catalogue import matching, shopify
from shop.catalogue.models import Category, Product, ProductImage
from shop.catalogue.shopify import ProductRow

BATCH = 500
PRODUCT_FIELDS = ("title", "body", "vendor", "tags", "kind", "category", "published", "option_names")


@dataclass(frozen=True)
class Summary:
    """How many rows of each kind the file held, and how many of the products were new."""

    products: int
    new_products: int
    variants: int
    categories: int


def read_file(*, path: Path, dry_run: bool = False, keep_stock: bool = False) -> Summary:
    """Import a Shopify product file in one transaction.

    A product is known again by its handle; a variant by its SKU, else by its options, else by the SKU
    made for it (`<handle>-<number>`). The stock in the file replaces ours unless `keep_stock`; a blank
    one never does. Variants that the file does not name are left as they are. Raises Unreadable or
    BadRows, and then nothing was changed; nor is it after a `dry_run`.
    """
    return write(shopify.products(path), keep_stock=keep_stock, dry_run=dry_run)


def write(found: Sequence[ProductRow], *, keep_stock: bool, dry_run: bool = False) -> Summary:
    """Write products in one transaction, whatever they were read from. Raises BadRows."""
    with transaction.atomic(durable=True):
        summary = _write(found, keep_stock=keep_stock)
        transaction.set_rollback(dry_run)
    return summary


def _write(found: Sequence[ProductRow], *, keep_stock: bool) -> Summary:
    categories = _write_categories(found)
    known = {product.handle for product in Product.objects.filter(handle__in=[row.handle for row in found])}
    products = _write_products(found, categories)
    matching.write_variants(found=found, products=products, keep_stock=keep_stock)
    _write_images(found, products)
    return Summary(
        products=len(found),
        new_products=len(found) - len(known),
        variants=sum(len(row.variants) for row in found),
        categories=len(categories),
    )


def _write_categories(found: Sequence[ProductRow]) -> dict[str, Category]:
    names = {row.category_slug: row.category for row in found if row.category}
    last = Category.objects.aggregate(last=Max("position"))["last"] or 0
    rows = [Category(slug=slug, name=name, position=last + 1) for slug, name in names.items()]
    Category.objects.bulk_create(rows, ignore_conflicts=True)
    return {category.slug: category for category in Category.objects.filter(slug__in=names)}


def _write_products(found: Sequence[ProductRow], categories: dict[str, Category]) -> dict[str, Product]:
    rows = [
        Product(
            handle=row.handle,
            title=row.title,
            body=row.body,
            vendor=row.vendor,
            tags=row.tags,
            kind=row.kind,
            category=categories.get(row.category_slug),
            published=row.published,
            option_names=row.option_names,
        )
        for row in found
    ]
    Product.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["handle"],
        update_fields=PRODUCT_FIELDS,
    )
    return Product.objects.in_bulk([row.handle for row in found], field_name="handle")


def _write_images(found: Sequence[ProductRow], products: dict[str, Product]) -> None:
    """Pictures elsewhere become those that the file names; the shop's own stay."""
    elsewhere = ProductImage.objects.filter(product__in=products.values(), source__contains="://")
    elsewhere.delete()
    images = [
        ProductImage(
            product=products[row.handle], source=image.source, alt=image.alt, position=image.position
        )
        for row in found
        for image in row.images
    ]
    ProductImage.objects.bulk_create(images, batch_size=BATCH, ignore_conflicts=True)
