"""The hottest queries find their rows by an index, however many orders there were before."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from flashsale import crowd, draining, reconcile, recording, reservations, scheduling
from flashsale.stream import Entry
from flashsale.tests.conftest import MakeSale, let_the_deadline_pass
from flashsale.tests.crowded import BIG, Crowded, fill
from flashsale.tests.pages import logged_in
from shop.orders import endings, outbox, polling, refunds

FEW, MANY = 20_000, 1_000_000
pytestmark = [pytest.mark.django_db(transaction=True)]
TABLES = "|".join(model._meta.db_table for model in BIG)
WHOLE = re.compile(rf"Seq Scan on ({TABLES})\b")


def record(stage: Crowded) -> None:
    users = crowd.make_shoppers(60)[10:]
    item, now = stage.item, int(stage.item.sale.opens_at.timestamp() * 1000)
    entries = [
        Entry(f"1-{n}", "reserved", user, f"{item.pk}-1-{1000 + n}", now, now + 10**9)
        for n, user in enumerate(users)
    ]
    assert recording.record(sale_id=item.sale_id, entries=entries) == 50


def expire(stage: Crowded) -> None:
    let_the_deadline_pass(stage.rid)
    assert reservations.expire_due() == 1


def get(name: str, *args: object) -> Callable[[Crowded], None]:
    def look(stage: Crowded) -> None:
        values = [getattr(stage, str(arg), arg) for arg in args]
        assert logged_in(stage.user).get(reverse(name, args=values)).status_code == 200

    return look


HOT: dict[str, Callable[[Crowded], object]] = {
    "record a batch": record,
    "a shopper's reservations": get("reservations"),
    "one reservation": get("reservation", "rid"),
    "a shopper's orders": get("orders"),
    "compare both stores": lambda stage: reconcile.compare(sale_id=stage.item.sale_id),
    "describe a sale": lambda stage: scheduling.document(stage.item.sale),
    "expire reservations": expire,
    "tell what is untold": lambda _: reservations.tell_store(),
    "expire unpaid orders": lambda _: endings.expire_due(),
    "claim mail": lambda _: outbox._claim(50),
    "poll payments": lambda _: polling.ask_about_open(),
    "refunds that are due": lambda _: refunds.send_due(),
}


def whole_tables(stage: Crowded) -> list[str]:
    """Do everything hot and return each statement that read a big table from end to end."""
    found = []
    for what, act in HOT.items():
        with CaptureQueriesContext(
            connection,
        ) as captured:
            act(stage)
        statements = {query["sql"] for query in captured if query["sql"].startswith(("SELECT", "UPDATE"))}
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute("EXPLAIN " + statement.replace("%", "%%"), [])
                plan = "\n".join(row[0] for row in cursor.fetchall())
                if WHOLE.search(plan):
                    found.append(f"{what}: {statement}\n{plan}")
    return found


def test_hot_queries_use_indexes(make_sale: MakeSale) -> None:
    assert whole_tables(fill(make_sale, FEW)) == []


@pytest.mark.cluster
def test_hot_queries_use_indexes_at_a_million_orders(make_sale: MakeSale) -> None:
    stage = fill(make_sale, MANY)
    assert whole_tables(stage) == []
    assert draining.drain_once(sale_id=stage.item.sale_id) == 0


def test_control_without_its_index_a_deadline_is_looked_for_in_the_whole_table(make_sale: MakeSale) -> None:
    stage = fill(make_sale, FEW)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid IN ("
            "'held_by_deadline'::regclass, 'order_unpaid_by_deadline'::regclass,"
            " 'one_live_reservation'::regclass)"
        )
        try:
            assert any(line.startswith("expire reservations") for line in whole_tables(stage))
        finally:
            cursor.execute("UPDATE pg_index SET indisvalid = true WHERE NOT indisvalid")
