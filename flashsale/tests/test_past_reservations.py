"""The plan for reservations of sales that are long over, run: they leave the hot table and stay readable."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from flashsale.models import Reservation, Sale, SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers, let_the_deadline_pass, pay, win

pytestmark = pytest.mark.django_db(transaction=True)
PLAN = (settings.BASE_DIR / "docs/partitioning/reservations.sql").read_text()
STEPS = dict(re.findall(r"^-- step: (\w+)\n(.*?)(?=^-- step: |\Z)", PLAN, re.MULTILINE | re.DOTALL))


def run(statements: str, sale: int = 0) -> list[tuple[object, ...]]:
    """Run statements in one transaction; return the rows of the last one that has some."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(statements.replace(":sale", str(sale)))
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def _plan() -> Iterator[None]:
    run(STEPS["prepare"])
    yield
    run("DROP VIEW flashsale_reservation_ever; DROP TABLE flashsale_reservation_past")


@pytest.fixture
def item(make_sale: MakeSale, shoppers: MakeShoppers) -> SaleItem:
    """An item of which two units are paid, one is held, and the memory has not heard of one that is over."""
    item = make_sale(quantity=4)
    paid, also_paid, late, _held = win(item, *shoppers(4))
    pay(paid)
    pay(also_paid)
    let_the_deadline_pass(late)
    Reservation.objects.filter(rid=late).update(status="expired", store_told_at=None)
    Reservation.objects.filter(status="paid").update(store_told_at=timezone.now())
    return item


def let_it_be_over(item: SaleItem, days: int) -> None:
    now = timezone.now()
    Sale.objects.filter(pk=item.sale_id).update(
        state="closed", opens_at=now - timedelta(days=days + 1), closes_at=now - timedelta(days=days)
    )


@pytest.mark.usefixtures("_plan")
def test_what_is_over_moves_and_what_may_still_change_stays(item: SaleItem) -> None:
    let_it_be_over(item, days=40)
    before = run("SELECT * FROM flashsale_reservation_ever ORDER BY id")
    run(STEPS["part"], item.sale_id)
    assert run(STEPS["move"], item.sale_id) == [(2,)]
    assert run(STEPS["move"], item.sale_id) == [(0,)]
    assert sorted(Reservation.objects.values_list("status", flat=True)) == ["expired", "held"]
    assert run("SELECT * FROM flashsale_reservation_ever ORDER BY id") == before
    part = f"flashsale_reservation_past_{item.sale_id}"
    plan = run(f"EXPLAIN SELECT FROM flashsale_reservation_past WHERE sale_id = {item.sale_id}")
    assert part in str(plan)
    run(f"ALTER TABLE flashsale_reservation_past DETACH PARTITION {part}")  # a sale goes at once
    assert run(f"SELECT status FROM {part}") == [("paid",), ("paid",)]  # noqa: S608
    run(f"DROP TABLE {part}")


@pytest.mark.usefixtures("_plan")
def test_a_sale_that_runs_or_ended_lately_keeps_its_rows(item: SaleItem) -> None:
    run(STEPS["part"], item.sale_id)
    assert run(STEPS["move"], item.sale_id) == [(0,)]
    let_it_be_over(item, days=20)
    assert run(STEPS["move"], item.sale_id) == [(0,)]
    assert Reservation.objects.count() == 4
