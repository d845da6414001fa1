"""Products for tests, each in one line."""

from typing import Any

from django.utils.text import slugify

from shop.catalogue.models import Category, Product, Variant


def a_category(name: str = "Light", **fields: Any) -> Category:
    return Category.objects.create(name=name, slug=slugify(name), **fields)


def a_product(title: str = "Storm Lantern", *, price: int = 4900, stock: int = 9, **fields: Any) -> Product:
    """A product with one variant, its price in minor units; without a variant if `price` is negative."""
    product = Product.objects.create(title=title, handle=slugify(title), **fields)
    if price >= 0:
        a_variant(product, price=price, stock=stock)
    return product


def a_variant(product: Product, *options: str, price: int = 4900, stock: int = 9, **fields: Any) -> Variant:
    number = product.variants.count() + 1
    fields = {"sku": f"{product.handle}-{number}", "position": number} | fields
    return Variant.objects.create(product=product, options=list(options), price=price, stock=stock, **fields)
