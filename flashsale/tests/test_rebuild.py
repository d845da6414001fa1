"""The store is built anew from the rows, while other things happen."""

from typing import Any

import pytest
from django_redis import get_redis_connection

from flashsale import draining, reconcile, recording, scheduling, stock, stream
from flashsale.models import Reservation, Sale, SaleItem, StandbyEntry
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, is_clean, pay, units, win

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(item: SaleItem) -> tuple[dict[int, int], dict[int, int]]:
    """Standby numbers by shopper, as the rows and as the store know them."""
    rows = StandbyEntry.objects.filter(item=item, status="waiting").values_list("user_id", "number")
    return dict(rows), stock.run(stock.members(item.sale_id, item.pk)).standby


def test_who_leaves_standby_and_joins_again_keeps_his_new_place(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    attempt(item, ann, ben)
    stock.run(stock.leave(item.sale_id, item.pk, user=ben.pk))
    attempt(item, ben)
    draining.drain_once(sale_id=item.sale_id)
    rows, store = waiting(item)
    assert rows == store == {ben.pk: 2}


def test_a_leaving_that_is_heard_twice_leaves_the_new_place_alone(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    attempt(item, ann, ben)
    stock.run(stock.leave(item.sale_id, item.pk, user=ben.pk))
    entries = stream.read([item.sale_id], consumer="died-before-acknowledging", count=10)[item.sale_id]
    recording.record(sale_id=item.sale_id, entries=entries)
    attempt(item, ben)
    draining.drain_once(sale_id=item.sale_id)
    rows, store = waiting(item)
    assert rows == store == {ben.pk: 2}


def test_a_promotion_that_is_recorded_before_its_place_ends_it(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    rid = attempt(item, ann, ben)[0].rid
    slow = stream.read([item.sale_id], consumer="slow", count=10)[item.sale_id]
    recording.record(sale_id=item.sale_id, entries=slow[:1])
    stock.run(stock.release(item.sale_id, item.pk, user=ann.pk, rid=rid))
    fast = stream.read([item.sale_id], consumer="fast", count=10)[item.sale_id]
    recording.record(sale_id=item.sale_id, entries=fast)
    recording.record(sale_id=item.sale_id, entries=slow)
    rows, store = waiting(item)
    assert rows == store == {}
    assert StandbyEntry.objects.get(user=ben).status == "promoted"


@pytest.mark.parametrize(
    "moment", ["between the item and its reservations", "between the document and the load"]
)
def test_a_payment_during_the_rebuild_is_in_both_stores(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    item, (ann,) = make_sale(quantity=3), shoppers(1)
    (rid,) = win(item, ann)
    name = "_item_document" if moment.startswith("within") else "document"
    describe = getattr(scheduling, name)

    def meanwhile(row: Any) -> Any:
        if name == "_item_document":
            pay(rid)
        found = describe(row)
        if name == "document":
            pay(rid)
        return found

    monkeypatch.setattr(scheduling, name, meanwhile)
    assert reconcile.rebuild(sale_id=item.sale_id).is_clean
    assert is_clean(item)


def test_standby_numbers_go_on_after_a_rebuild(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=2), shoppers(3)
    attempt(item, ann, ben)
    stock.run(stock.leave(item.sale_id, item.pk, user=ben.pk))
    reconcile.rebuild(sale_id=item.sale_id)
    attempt(item, cid)
    draining.drain_once(sale_id=item.sale_id)
    rows, store = waiting(item)
    assert rows == store == {cid.pk: 2}


def test_after_a_rebuild_no_unit_is_free_while_somebody_stands_by(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=2), shoppers(3)
    attempt(item, ann, ben, cid)
    entries = stream.read([item.sale_id], consumer="died", count=10)[item.sale_id]
    recording.record(sale_id=item.sale_id, entries=entries[1:])  # ann's unit was never recorded
    get_redis_connection("sale").flushdb()
    assert reconcile.rebuild(sale_id=item.sale_id).is_clean
    assert units(item) == (0, 1, 0, 0)
    row = Reservation.objects.get()
    assert (row.user, row.promoted, row.status) == (ben, True, "held")
    assert waiting(item) == ({cid.pk: 2}, {cid.pk: 2})


@pytest.mark.parametrize("guarded", [True, False], ids=["with the guard", "without"])
def test_what_is_sold_between_two_rebuilds_is_in_the_second(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    drain, sale = draining.drain_once, item.sale_id
    get_redis_connection("sale").flushdb()
    told: list[str] = []

    def another_operator_is_quicker(*, sale_id: int) -> int:
        drained = drain(sale_id=sale_id)
        if not told:
            monkeypatch.setattr(draining, "drain_once", drain)
            reconcile.rebuild(sale_id=sale_id)
            scheduling.resume(sale_id=sale_id)
            told.extend(one.rid for one in attempt(item, ann, ben))
        return drained

    if not guarded:
        begin = reconcile._begin_next_epoch

        def begin_whatever_happened(sale_id: int) -> int | None:
            Sale.objects.filter(pk=sale_id).update(paused=True)
            return begin(sale_id)

        monkeypatch.setattr(reconcile, "_begin_next_epoch", begin_whatever_happened)
    monkeypatch.setattr(draining, "drain_once", another_operator_is_quicker)
    reconcile.rebuild(sale_id=sale)
    drain(sale_id=sale)
    rows, store = waiting(item)
    assert (rows == store == {ben.pk: 1}) is guarded
    assert Reservation.objects.filter(rid=told[0], status="held").exists() is guarded
