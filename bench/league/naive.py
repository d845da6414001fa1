"""Two ways that look right with one shopper at a time."""

from django.db import transaction
from django.db.models import F

from bench.league.models import Item, Order


@transaction.atomic
def read_then_write(shopper: int) -> bool:
    """Read the stock, take one, save."""
    item = Item.objects.get(pk=1)
    if item.stock < 1:
        return False
    item.stock -= 1
    item.save()
    Order.objects.create(item_id=1, shopper=shopper)
    return True


@transaction.atomic
def f_update(shopper: int) -> bool:
    """Read the stock, then let the database subtract: no lost update, but the look is as old as before."""
    if Item.objects.get(pk=1).stock < 1:
        return False
    Item.objects.filter(pk=1).update(stock=F("stock") - 1)
    Order.objects.create(item_id=1, shopper=shopper)
    return True
