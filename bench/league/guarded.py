"""The database refuses the unit that is not there: a condition in the UPDATE itself."""

from django.db import transaction
from django.db.models import F

from bench.league.models import Item, Order

TRIES = 100


class SoldOut(Exception):
    """Rolls the transaction back."""


class TooBusy(Exception):
    """Nothing was decided within the tries there are."""


def _take() -> bool:
    return Item.objects.filter(pk=1, stock__gt=0).update(stock=F("stock") - 1) == 1


def _take_or_roll_back() -> None:
    if not _take():
        raise SoldOut


@transaction.atomic
def guard_first(shopper: int) -> bool:
    """The row stays locked from the first statement to the commit."""
    if not _take():
        return False
    Order.objects.create(item_id=1, shopper=shopper)
    return True


def guard_last(shopper: int) -> bool:
    """The row is locked for one statement and the commit: the fastest way of one by one."""
    try:
        with transaction.atomic():
            Order.objects.create(item_id=1, shopper=shopper)
            _take_or_roll_back()
    except SoldOut:
        return False
    return True


def version_column(shopper: int) -> bool:
    """Optimistic: write only if nobody wrote since the look; otherwise look again."""
    for _ in range(TRIES):
        item = Item.objects.get(pk=1)
        if item.stock < 1:
            return False
        with transaction.atomic():
            unchanged = Item.objects.filter(pk=1, version=item.version)
            if unchanged.update(stock=item.stock - 1, version=item.version + 1):
                Order.objects.create(item_id=1, shopper=shopper)
                return True
    raise TooBusy
