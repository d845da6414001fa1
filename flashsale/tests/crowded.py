"""Tables as they are after many sales: orders with a line, a reservation and a mail each."""

from dataclasses import dataclass

from django.db import connection
from django.db.models import Model

from accounts.models import User
from flashsale import crowd
from flashsale.models import Reservation, Sale, SaleItem
from flashsale.tests.conftest import MakeSale, win
from shop.catalogue.models import Variant
from shop.orders.models import Order, OrderLine, OutboxMail

ITEMS = 50
HELD_EVERY = 1000
BIG = (Order, OrderLine, Reservation, OutboxMail)


@dataclass(frozen=True)
class Crowded:
    """The item of the newest sale, and somebody who holds a unit of it."""

    item: SaleItem
    rid: str
    user: User


def fill(make_sale: MakeSale, count: int) -> Crowded:
    """Write `count` orders of ended sales, one in a thousand still unpaid, as copies of a real one."""
    item = make_sale(quantity=100)
    users = crowd.make_shoppers(count // ITEMS)
    assert users[-1] - users[0] == len(users) - 1
    user = User.objects.get(pk=users[0])
    (rid,) = win(item, user)
    items = _items(item.sale, item)
    whose = f"{users[0]} + n %% {len(users)}"
    held = f"n %% {HELD_EVERY} = 1"
    order = Order.objects.get(reservation__rid=rid)
    numbers = {"id": f"{order.pk} + n", "user_id": whose, "public_id": "gen_random_uuid()"}
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET session_replication_role = replica")  # no look at each foreign key
    ends = f"CASE WHEN {held} THEN now() + interval '1 hour' ELSE now() - interval '9 days' END"
    state = f"CASE WHEN {held} THEN 'awaiting_payment' ELSE 'paid' END"
    _copy(order, count, numbers | {"status": state, "pay_by": ends})
    _copy(order.lines.get(), count, {"order_id": f"{order.pk} + n"})
    told = f"CASE WHEN {held} THEN NULL ELSE now() END"
    _copy(
        Reservation.objects.get(rid=rid),
        count,
        {
            "rid": "'past-' || n",
            "order_id": f"{order.pk} + n",
            "user_id": whose,
            "item_id": f"{items[0]} + (n / {len(users)}) %% {ITEMS}",
            "status": f"CASE WHEN {held} THEN 'held' ELSE 'paid' END",
            "pay_by": ends,
            "ended_at": told,
            "store_told_at": told,
        },
    )
    mail = OutboxMail.objects.get(ref=rid)
    _copy(mail, count, {"ref": "'past-' || n", "status": "'sent'", "sent_at": "now()"})
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = origin")
        for model in BIG:
            cursor.execute(f"SELECT setval('{model._meta.db_table}_id_seq', {order.pk + 2 * count})")
            cursor.execute(f"ANALYZE {model._meta.db_table}")
    return Crowded(item, rid, user)


def _items(sale: Sale, like: SaleItem) -> list[int]:
    """Make items that nobody looks at any more."""
    old = Sale.objects.create(slug="old", title="Old", opens_at=sale.opens_at, closes_at=sale.closes_at)
    product = like.variant.product
    variants = [Variant(product=product, sku=f"OLD-{n}", options=[str(n)], price=1) for n in range(ITEMS)]
    Variant.objects.bulk_create(variants)
    rows = SaleItem.objects.bulk_create(
        SaleItem(sale=old, variant=variant, price=1, quantity=1) for variant in variants
    )
    return [row.pk for row in rows]


def _copy(row: Model, count: int, changed: dict[str, str]) -> None:
    fields = [str(field.column) for field in row._meta.concrete_fields]
    columns = [column for column in fields if column != "id" or "id" in changed]
    names = ", ".join(f'"{column}"' for column in columns)
    values = ", ".join(changed.get(column, f't."{column}"') for column in columns)
    table = row._meta.db_table
    copies = f"SELECT {values} FROM {table} AS t, generate_series(1, %s) AS n WHERE t.id = %s"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) {copies}", [count, row.pk])
