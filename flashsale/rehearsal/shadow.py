"""The shadow of a sale: a row of its own, keys of its own, shoppers of its own; removed afterwards, whole.

No ordinary stock moves for it, shoppers never see it, and nobody is mailed: its shoppers' addresses end in
`.invalid`, to which the outbox writes nothing.
"""

import logging
import secrets
from datetime import timedelta

from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.utils import timezone
from redis.exceptions import RedisError

from accounts.models import User
from flashsale import scheduling, stock
from flashsale.errors import SaleError
from flashsale.models import ParkedEntry, Reservation, Sale, SaleItem, StandbyEntry
from shop.orders.models import Order

logger = logging.getLogger(__name__)
DOMAIN = "rehearsal.invalid"
FORGOTTEN = timedelta(minutes=30)
COPIED = (
    "description",
    "standby_size",
    "rate",
    "queue_limit",
    "tie_band",
    "shuffle_at_open",
)
INSERT_SHOPPERS = """
INSERT INTO accounts_user (email, password, first_name, last_name, is_staff, is_superuser, is_active,
                           date_joined, level, standing)
SELECT n || '.' || %s || '@' || %s, '!', '', '', false, false, true, now() - interval '1 year', 1, 'ok'
FROM generate_series(%s, %s) AS n RETURNING id
"""


def make(*, sale: Sale, opens_in: float, open_for: float) -> Sale:
    """Make and load the shadow of a sale; it opens after so many seconds and is open for so many.

    Time runs faster in a rehearsal: where the time to pay does not fit four times, it is cut to a fourth.
    """
    opens_at = timezone.now() + timedelta(seconds=opens_in)
    with transaction.atomic():
        shadow = Sale.objects.create(
            slug=f"rehearsal-{secrets.token_hex(8)}",
            title=sale.title,
            state=Sale.State.SCHEDULED,
            rehearsal_of=sale,
            opens_at=opens_at,
            closes_at=opens_at + timedelta(seconds=open_for),
            pay_within=max(5, min(sale.pay_within, int(open_for / 4))),
            captcha=False,
            **{name: getattr(sale, name) for name in COPIED},
        )
        items = sale.items.order_by("pk")
        SaleItem.objects.bulk_create(
            SaleItem(
                sale=shadow,
                variant_id=one.variant_id,
                price=one.price,
                quantity=one.quantity,
                limit=one.limit,
            )
            for one in items
        )
    scheduling.warm(sale_id=shadow.pk)
    return shadow


def make_shoppers(shadow: Sale, count: int, *, first: int = 0) -> list[int]:
    """Make so many shoppers for one rehearsal, after the `first` ones; return their ids.

    They have no password.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(INSERT_SHOPPERS, [shadow.pk, DOMAIN, first + 1, first + count])
        return [row[0] for row in cursor.fetchall()]


def is_of_cast(shadow: Sale, user: object) -> bool:
    """Whether somebody is one of the shoppers who were made for this rehearsal."""
    return isinstance(user, User) and user.email.endswith(_ending(shadow))


def session_prefix(shadow: Sale) -> str:
    """Return how the keys of its shoppers' sessions begin; they may be 40 characters long."""
    return f"rehearsal-{shadow.pk}-"


def _ending(shadow: Sale) -> str:
    return f".{shadow.pk}@{DOMAIN}"


def remove(shadow: Sale) -> None:
    """Remove a shadow from both stores, shoppers included. Raises SaleError for a real sale, RedisError."""
    if shadow.rehearsal_of_id is None:
        raise SaleError(f"{shadow} is no rehearsal.")
    # The store first: what it has forgotten, no worker can record any more.
    stock.run(stock.forget(shadow.pk, list(shadow.items.values_list("pk", flat=True))))
    rows = Reservation.objects.filter(item__sale=shadow)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        # A worker that is just recording holds the items' locks: it is waited for, and its rows are seen.
        list(shadow.items.select_for_update(of=("self",), no_key=True).order_by("pk"))
        orders = list(rows.exclude(order=None).values_list("order_id", flat=True))
        rows.delete()
        StandbyEntry.objects.filter(item__sale=shadow).delete()
        ParkedEntry.objects.filter(sale=shadow).delete()
        Order.objects.filter(pk__in=orders).delete()
        shadow.entrances.all().delete()
        Session.objects.filter(session_key__startswith=session_prefix(shadow)).delete()
        for table in ("account_emailaddress", "accounts_user"):
            cursor.execute(f"DELETE FROM {table} WHERE email LIKE %s", [f"%{_ending(shadow)}"])  # noqa: S608
        shadow.items.all().delete()
        shadow.delete()


def remove_forgotten() -> int:
    """Remove shadows whose rehearsal died; return how many."""
    old = Sale.objects.filter(rehearsal_of__isnull=False, closes_at__lt=timezone.now() - FORGOTTEN)
    count = 0
    for shadow in old:
        try:
            remove(shadow)
            count += 1
        except RedisError as error:
            logger.warning("Rehearsal %s is removed later: %s", shadow.pk, error)
    return count
