"""Locks and isolation levels: the database makes shoppers wait for each other, or start again."""

from django.db import OperationalError, connection, transaction
from django.db.models import F

from bench.league.guarded import TRIES, TooBusy
from bench.league.models import Item, Order, Unit

SERIALIZATION_FAILURE = "40001"


def serializable(shopper: int) -> bool:
    """Read, then write, at the strictest isolation level; whoever conflicts starts again."""
    for _ in range(TRIES):
        try:
            with transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")
                return _read_then_write(Item.objects.get(pk=1), shopper)
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", "") != SERIALIZATION_FAILURE:
                raise
    raise TooBusy


@transaction.atomic
def select_for_update(shopper: int) -> bool:
    """Lock the row, then read and write in peace."""
    return _read_then_write(Item.objects.select_for_update().get(pk=1), shopper)


@transaction.atomic
def advisory_lock(shopper: int) -> bool:
    """Lock a number that stands for the quota, then count what was sold."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(1)")
    if Order.objects.filter(item_id=1).count() >= Unit.objects.count():
        return False
    Order.objects.create(item_id=1, shopper=shopper)
    return True


@transaction.atomic
def skip_locked(shopper: int) -> bool:
    """Every unit is a row: take any that nobody has and nobody is taking."""
    free = Unit.objects.select_for_update(skip_locked=True).filter(shopper=None)
    unit = free.order_by("pk").first()
    if unit is None:
        return False
    unit.shopper = shopper
    unit.save(update_fields=["shopper"])
    Order.objects.create(item_id=1, shopper=shopper)
    return True


def _read_then_write(item: Item, shopper: int) -> bool:
    if item.stock < 1:
        return False
    Item.objects.filter(pk=1).update(stock=F("stock") - 1)
    Order.objects.create(item_id=1, shopper=shopper)
    return True
