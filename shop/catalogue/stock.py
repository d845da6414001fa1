"""The only door to ordinary stock. Callers own the transaction: what they write stands or falls with it.

Lock order: an order's row is locked before its variants, and variants always by ascending key, so that two
carts with the same lines cannot wait for each other.
"""

from collections.abc import Iterable, Mapping

from django.db import transaction
from django.db.models import F

from shop.catalogue.errors import OutOfStock, Shortage
from shop.catalogue.models import Variant


def take(quantities: Mapping[int, int]) -> None:
    """Take units, keyed by variant id, inside the caller's transaction; all of them or none.

    Raises OutOfStock (naming every short line) and ValueError for a quantity below 1.
    """
    _refuse_nothing(quantities)
    # Two shoppers may want the last unit: the second waits here until the first has committed, then reads
    # what is left. Without the lock both would read 1.
    variants = {variant.pk: variant for variant in locked(quantities)}
    short = [pk for pk, quantity in quantities.items() if _left(variants.get(pk)) < quantity]
    if not short:
        short = _subtract_all(quantities)
    if short:
        raise OutOfStock([_shortage(pk, variants.get(pk), quantities[pk]) for pk in short])


def give_back(quantities: Mapping[int, int]) -> None:
    """Return units, keyed by variant id, inside the caller's transaction; a deleted variant's are dropped.

    Calling it twice returns twice: the caller flips its own row first and calls only if that changed.
    Raises ValueError for a quantity below 1.
    """
    _refuse_nothing(quantities)
    for variant in locked(quantities):
        Variant.objects.filter(pk=variant.pk).update(stock=F("stock") + quantities[variant.pk])


def adjust(*, pk: int, by: int) -> None:
    """Add units that arrived, or take out units that are gone (`by` below 0); raises OutOfStock."""
    if by > 0:
        give_back({pk: by})
    elif by < 0:
        take({pk: -by})


def locked(pks: Iterable[int]) -> list[Variant]:
    """The variants, their rows locked in the one order that everybody keeps to."""
    variants = Variant.objects.filter(pk__in=list(pks)).select_related("product")
    return list(variants.select_for_update(of=("self",), no_key=True).order_by("pk"))


def _subtract_all(quantities: Mapping[int, int]) -> list[int]:
    """Keys of the variants that were short after all; if there are any, nothing was subtracted."""
    with transaction.atomic():
        short = [pk for pk, quantity in sorted(quantities.items()) if not _subtract(pk, quantity)]
        transaction.set_rollback(bool(short))
    return short


def _subtract(pk: int, quantity: int) -> bool:
    # The condition is the last word: should somebody write without the lock, no row matches.
    return Variant.objects.filter(pk=pk, stock__gte=quantity).update(stock=F("stock") - quantity) == 1


def _left(variant: Variant | None) -> int:
    return variant.stock if variant else 0


def _shortage(pk: int, variant: Variant | None, wanted: int) -> Shortage:
    return Shortage(variant_id=pk, title=str(variant or ""), wanted=wanted, left=_left(variant))


def _refuse_nothing(quantities: Mapping[int, int]) -> None:
    if any(quantity < 1 for quantity in quantities.values()):
        raise ValueError("A quantity of stock is at least 1.")
