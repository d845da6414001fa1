"""The store is built anew from the rows, while other things happen."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, nullcontext
from functools import partial
from threading import Event
from typing import Any

import pytest
from django.db import connection
from django_redis import get_redis_connection
from redis.exceptions import ResponseError

from flashsale import draining, reconcile, recording, reservations, scheduling, stock, stream
from flashsale.models import Reservation, Sale, SaleItem, StandbyEntry
from flashsale.replies import Answer
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, is_clean, pay, units, win
from flashsale.tests.test_controls import changed_library, with_and_without

pytestmark = pytest.mark.django_db(transaction=True)


def in_a_thread(work: Callable[[], object]) -> object:
    with closing(connection):
        return work()


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


@with_and_without
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

        def begin_whatever_happened(sale_id: int, _seen: int) -> int | None:
            return begin(sale_id, Sale.objects.get(pk=sale_id).epoch)

        monkeypatch.setattr(reconcile, "_begin_next_epoch", begin_whatever_happened)
    monkeypatch.setattr(draining, "drain_once", another_operator_is_quicker)
    reconcile.rebuild(sale_id=sale)
    drain(sale_id=sale)
    rows, store = waiting(item)
    assert (rows == store == {ben.pk: 1}) is guarded
    assert Reservation.objects.filter(rid=told[0], status="held").exists() is guarded


@with_and_without
def test_a_rebuild_that_lets_the_sale_go_on_cannot_open_the_world_that_another_replaces(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    """The first one has had its last look, and resumes when the second one has begun the next epoch."""
    item, (ann,) = make_sale(quantity=1), shoppers(1)
    sale, resume, describe = item.sale_id, scheduling.resume, scheduling.document
    has_begun, may_load = Event(), Event()
    told: list[Answer] = []

    def describe_slowly(row: Sale) -> dict[str, Any]:
        has_begun.set()
        assert may_load.wait(10)
        return describe(row)

    def begin_another_first(*, sale_id: int) -> None:
        monkeypatch.setattr(scheduling, "resume", resume)
        monkeypatch.setattr(scheduling, "document", describe_slowly)
        others.append(threads.submit(in_a_thread, partial(reconcile.rebuild, sale_id=sale_id)))
        assert has_begun.wait(10)
        resume(sale_id=sale_id)
        told.extend(attempt(item, ann))

    others: list[Future[object]] = []
    monkeypatch.setattr(scheduling, "resume", begin_another_first)
    library = nullcontext() if guarded else changed_library("sale.paused or sale.fenced", "sale.paused")
    with ThreadPoolExecutor(1) as threads, library:
        reconcile.rebuild(sale_id=sale)
        may_load.set()
        others[0].result()
        draining.drain_once(sale_id=sale)
    assert told[0].outcome == ("paused" if guarded else "reserved")
    assert Reservation.objects.filter(status="displaced").count() == (0 if guarded else 1)
    if guarded:
        assert Sale.objects.get(pk=sale).epoch == 3
        scheduling.warm(sale_id=sale)  # as the beat does: the document is older than what the row says now
        assert attempt(item, ann)[0].outcome == "reserved"


@with_and_without
def test_a_unit_that_comes_free_during_a_rebuild_is_promoted_in_the_new_world(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    (rid,) = win(item, ann)
    attempt(item, ben)
    describe = scheduling.document

    def meanwhile(row: Sale) -> dict[str, Any]:
        reservations.give_back(user=ann, rid=rid)
        return describe(row)

    monkeypatch.setattr(scheduling, "document", meanwhile)
    line = "if sale and sale.fenced then error({ err = 'FENCED the sale is being built anew' }) end"
    with nullcontext() if guarded else changed_library(line, ""):
        reconcile.rebuild(sale_id=item.sale_id)
        draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.get(status="held").user == ben
    displaced = Reservation.objects.filter(user=ben, promoted=True, standby_number=1, status="displaced")
    assert displaced.count() == (0 if guarded else 1)  # told that it is gone, and then that it is there


def test_nobody_leaves_standby_of_a_world_that_is_replaced(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    attempt(item, ann, ben)
    stock.run(stock.fence(item.sale_id, 2))
    with pytest.raises(ResponseError, match="being built anew"):
        stock.run(stock.leave(item.sale_id, item.pk, user=ben.pk))
    assert scheduling.warm(sale_id=item.sale_id) == "updated"
    assert stock.run(stock.load(item.sale_id, scheduling.document(item.sale))) == "old"
    assert reconcile.rebuild(sale_id=item.sale_id).is_clean
    assert stock.run(stock.leave(item.sale_id, item.pk, user=ben.pk))


@pytest.mark.parametrize("step", ["stream.read", "stock.load", "scheduling.document"])
def test_a_rebuild_that_was_cut_off_is_typed_again_as_the_runbook_says(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    item, (ann, ben) = make_sale(quantity=2), shoppers(2)
    (rid,) = win(item, ann)

    class Cut(BaseException):
        """The shell was closed."""

    def cut(*_: Any, **__: Any) -> None:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(f"flashsale.{step}", cut)
        with pytest.raises(Cut):
            reconcile.rebuild(sale_id=item.sale_id)
    scheduling.resume(sale_id=item.sale_id)
    assert [answer.outcome for answer in attempt(item, ben)] == ["paused"], "whoever resumes it"
    assert reconcile.rebuild(sale_id=item.sale_id).is_clean
    scheduling.resume(sale_id=item.sale_id)
    assert [answer.outcome for answer in attempt(item, ann, ben)] == ["reserved", "reserved"]
    assert Reservation.objects.get(user=ann).rid == rid
    draining.drain_once(sale_id=item.sale_id)
    assert is_clean(item)
