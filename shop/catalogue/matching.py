"""Which variant of ours is which row of a file."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count

from django.utils.translation import gettext as _

from shop.catalogue.errors import BadRows, Problem
from shop.catalogue.models import Product, Variant
from shop.catalogue.shopify import ProductRow, VariantRow

BATCH = 500
FIELDS = ("sku", "options", "price", "compare_at", "stock", "position", "slot_place", "slot_starts_at")


def write_variants(*, found: Sequence[ProductRow], products: Mapping[str, Product], keep_stock: bool) -> None:
    """Update and create variants, `products` being keyed by handle; raises BadRows where two would clash."""
    # Shoppers may be taking units of these very variants: whoever comes second waits for the lock, so the
    # figure of the file replaces a whole one and never half of a purchase.
    ours = Variant.objects.select_for_update(of=("self",), no_key=True)
    known: defaultdict[int, list[Variant]] = defaultdict(list)
    for variant in ours.filter(product__in=products.values()).order_by("pk"):
        known[variant.product_id].append(variant)
    elsewhere = Variant.objects.exclude(product__in=products.values())
    taken = set(elsewhere.values_list("sku", flat=True))
    problems = [problem for row in found for problem in _foreign_skus(row, taken)]
    used = taken | _skus(found) | {variant.sku for variants in known.values() for variant in variants}
    written: list[Variant] = []
    for row in found:
        product = products[row.handle]
        variants = _matched(row, known[product.pk])
        problems += _clashes(row, variants, known[product.pk])
        written += _filled(row, variants, product, used, keep_stock=keep_stock)
    if problems:
        raise BadRows(problems)
    Variant.objects.bulk_update([one for one in written if one.pk], FIELDS, batch_size=BATCH)
    Variant.objects.bulk_create([one for one in written if not one.pk], batch_size=BATCH)


def made_sku(handle: str, number: int) -> str:
    """The SKU of a variant that came without one: `lamp-1`."""
    return f"{handle[:90]}-{number}"


def _matched(row: ProductRow, known: Sequence[Variant]) -> list[Variant | None]:
    """Our variant for each row, found by its SKU, else by its options, else by the SKU made for it."""
    found: list[Variant | None] = [None] * len(row.variants)
    free = list(known)
    for is_same in (_same_sku, _same_options, _same_made_sku):
        for index, line in enumerate(row.variants):
            same = [one for one in free if is_same(one, line, made_sku(row.handle, index + 1))]
            if found[index] is None and same:
                found[index] = same[0]
                free.remove(same[0])
    return found


def _same_sku(variant: Variant, line: VariantRow, _made: str) -> bool:
    return variant.sku == line.sku


def _same_options(variant: Variant, line: VariantRow, _made: str) -> bool:
    return bool(variant.options == line.options)


def _same_made_sku(variant: Variant, line: VariantRow, made: str) -> bool:
    return not line.sku and variant.sku == made


def _filled(
    row: ProductRow,
    variants: Sequence[Variant | None],
    product: Product,
    used: set[str],
    *,
    keep_stock: bool,
) -> Iterator[Variant]:
    for position, (line, ours) in enumerate(zip(row.variants, variants, strict=True), 1):
        variant = ours or Variant(product=product)
        variant.sku = line.sku or variant.sku or _free_sku(row.handle, position, used)
        variant.options = line.options
        variant.price, variant.compare_at = line.price, line.compare_at
        variant.position = position
        if line.slot is not None:
            variant.slot_place, variant.slot_starts_at = line.slot
        if line.stock is not None and not (ours and keep_stock):
            variant.stock = line.stock
        yield variant


def _free_sku(handle: str, position: int, used: set[str]) -> str:
    sku = next(made_sku(handle, number) for number in count(position) if made_sku(handle, number) not in used)
    used.add(sku)
    return sku


def _skus(found: Iterable[ProductRow]) -> set[str]:
    return {line.sku for row in found for line in row.variants if line.sku}


def _foreign_skus(row: ProductRow, taken: set[str]) -> Iterator[Problem]:
    for line in row.variants:
        if line.sku in taken:
            text = _("Variant SKU “%(sku)s” belongs to another product in the shop.")
            yield Problem(line.line, text % {"sku": line.sku})


def _clashes(
    row: ProductRow, variants: Sequence[Variant | None], known: Sequence[Variant]
) -> Iterator[Problem]:
    left = {tuple(one.options): one.sku for one in known if one not in variants}
    for line in row.variants:
        if tuple(line.options) in left:
            text = _("The shop has these options already, as SKU “%(sku)s”, which the file does not name.")
            yield Problem(line.line, text % {"sku": left[tuple(line.options)]})
