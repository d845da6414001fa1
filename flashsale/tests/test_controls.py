"""The checker finds each fault on the real stores once its guard is gone, and nothing while it is there.

Every test runs one story twice: as the shop is, and with the guard patched away in this process only.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django_redis import get_redis_connection

from accounts.models import User
from flashsale import draining, reconcile, recording, reservations, scheduling, stock, stream
from flashsale.models import Reservation, Sale, SaleItem
from flashsale.stream import Entry
from flashsale.tests.conftest import MakeSale, MakeShoppers, let_the_deadline_pass
from flashsale.tests.histories import Told
from flashsale.tests.test_threads_races import without_the_check
from shop.orders import payment
from shop.orders.models import Order, Payment
from shop.orders.payment import Report

pytestmark = pytest.mark.django_db(transaction=True)
Patch = pytest.MonkeyPatch
Begin = Callable[..., tuple[Told, list[User]]]
with_and_without = pytest.mark.parametrize("guarded", [True, False], ids=["with the guard", "without"])


@pytest.fixture
def begin(make_sale: MakeSale, shoppers: MakeShoppers, tmp_path: Path) -> Begin:
    """Open a sale whose history is written; return it with its shoppers, the last of whom is the prober."""

    def make(number: int, **fields: int) -> tuple[Told, list[User]]:
        item = make_sale(**fields)
        return Told(SaleItem.objects.get(pk=item.pk), tmp_path / "history.jsonl"), shoppers(number + 1)

    return make


def unless(
    guarded: bool, control: Callable[[], AbstractContextManager[object]]
) -> AbstractContextManager[object]:
    return nullcontext() if guarded else control()


@contextmanager
def changed_library(guard: str, instead: str = "") -> Iterator[None]:
    """The functions of the store without one of their lines."""
    version, text = stock.library()
    assert text.count(guard) == 1
    text = text.replace(guard, instead).replace(version, "control")
    with Patch.context() as patch:
        patch.setattr(stock, "library", lambda: ("control", text))
        yield
        get_redis_connection("sale").function_delete("flashsale_control")


def expect(found: dict[str, str], guarded: bool, predicate: str) -> None:
    """Nothing is found where the guard is; without it this predicate is broken."""
    assert found == {} if guarded else predicate in found, found


def drain(told: Told) -> None:
    draining.drain_once(sale_id=told.item.sale_id)


def empty_store(told: Told) -> None:
    fields = {"id": "f", "outcome": "empty store", "v": {"component": "store", "destroys": True}}
    told.note("invoke", "fault", **fields)
    get_redis_connection("sale").flushdb()
    told.note("ok", "fault", **fields)


@with_and_without
def test_whoever_asks_again_gets_no_second_unit(begin: Begin, guarded: bool) -> None:
    told, (ann, ben) = begin(1, quantity=3)
    with unless(guarded, lambda: changed_library("  if again then return again end\n")):
        told.attempt(ann)
        told.attempt(ann)  # as a client library that sends again by itself does
        drain(told)
        found = told.verdict(ben)
    expect(found, guarded, "I6")


@with_and_without
def test_a_unit_that_is_released_twice_comes_free_once(begin: Begin, guarded: bool) -> None:
    told, (ann, ben) = begin(1, quantity=3)
    with unless(
        guarded,
        lambda: changed_library(
            " or not holds(item, args[1], args[2]) then return 'gone'", " then return 'gone'"
        ),
    ):
        rid = told.attempt(ann)
        drain(told)
        reservations.give_back(user=ann, rid=rid)
        call = stock.release(told.item.sale_id, told.item.pk, user=ann.pk, rid=rid)
        stock.run(call)  # once more, as after a reply that was lost
        found = told.verdict(ben)
    expect(found, guarded, "I1")


@with_and_without
def test_the_stores_time_to_pay_is_the_deadline(begin: Begin, guarded: bool) -> None:
    told, (ann, ben) = begin(1, quantity=3)
    line = "local unit = string.format('%s %d', rid, sale.now + sale.pay_within)"
    moved = line.replace("sale.pay_within", "sale.pay_within + 1000")
    with unless(guarded, lambda: changed_library(line, moved)):
        told.attempt(ann)
        drain(told)
        found = told.verdict(ben)
    expect(found, guarded, "I6")


@with_and_without
def test_entries_are_acknowledged_after_the_commit(begin: Begin, guarded: bool, monkeypatch: Patch) -> None:
    told, (ann, ben) = begin(1, quantity=3)
    told.attempt(ann)
    record = recording.record

    def die(*, sale_id: int, entries: list[Entry]) -> int:
        if not guarded:
            stream.acknowledge(sale_id, [entry.id for entry in entries])
        raise OperationalError

    monkeypatch.setattr(recording, "record", die)
    with pytest.raises(OperationalError):
        drain(told)
    monkeypatch.setattr(recording, "record", record)
    drain(told)
    found = told.verdict(ben)
    expect(found, guarded, "I4")


@with_and_without
def test_a_stream_is_never_cut_by_its_length(begin: Begin, guarded: bool) -> None:
    told, crowd = begin(5, quantity=5)
    for user in crowd[:-1]:
        told.attempt(user)
    if not guarded:
        get_redis_connection("sale").xtrim(stock.sale_keys(told.item.sale_id)[1], maxlen=2, approximate=False)
    drain(told)
    found = told.verdict(crowd[-1])
    expect(found, guarded, "I4")


@with_and_without
def test_rows_are_flipped_before_the_store_is_told(begin: Begin, guarded: bool) -> None:
    told, (ann, ben, cid) = begin(2, quantity=1, standby_size=2)
    rid = told.attempt(ann)
    told.attempt(ben)
    drain(told)
    if not guarded:
        stock.run(stock.release(told.item.sale_id, told.item.pk, user=ann.pk, rid=rid))
        time.sleep(0.05)
    reservations.give_back(user=ann, rid=rid)
    drain(told)
    found = told.verdict(cid)
    expect(found, guarded, "I10")


class TimelessEntry(Entry):
    """An entry of an old world that nobody recognises as such."""

    @property
    def epoch(self) -> int:
        class Any(int):
            __hash__ = int.__hash__

            def __ne__(self, _other: object) -> bool:
                return False

        return Any(super().epoch)


@with_and_without
def test_nothing_of_an_old_epoch_is_recorded(begin: Begin, guarded: bool) -> None:
    told, (ann, ben) = begin(1, quantity=3)
    told.attempt(ann)
    sale = told.item.sale_id
    (entry,) = stream.read([sale], consumer="slow", count=1)[sale]
    empty_store(told)
    reconcile.rebuild(sale_id=sale)
    told.note("ok", "rebuild", epoch=2)
    kind = Entry if guarded else TimelessEntry
    late = kind(entry.id, entry.kind, entry.user, entry.ref, entry.at, entry.pay_by)
    recording.record(sale_id=sale, entries=[late])
    scheduling.resume(sale_id=sale)
    found = told.verdict(ben)
    expect(found, guarded, "I15")


@with_and_without
def test_rows_that_are_being_written_are_in_the_next_epoch(
    begin: Begin, guarded: bool, monkeypatch: Patch
) -> None:
    told, (ann, ben) = begin(1, quantity=3)
    told.attempt(ann)
    judge, has_locked, may_write = recording._judge, Event(), Event()

    def judge_slowly(*args: Any) -> list[Reservation]:
        has_locked.set()
        assert may_write.wait(10)
        return judge(*args)

    def in_a_thread(work: Callable[..., object]) -> object:
        with closing(connection):
            return work(sale_id=told.item.sale_id)

    def begin_without_waiting(sale_id: int, _seen: int) -> int:
        Sale.objects.filter(pk=sale_id).update(epoch=F("epoch") + 1)
        return Sale.objects.get(pk=sale_id).epoch

    monkeypatch.setattr(recording, "_judge", judge_slowly)
    if not guarded:
        monkeypatch.setattr(reconcile, "_begin_next_epoch", begin_without_waiting)
    with ThreadPoolExecutor(2) as threads:
        writing = threads.submit(in_a_thread, draining.drain_once)
        assert has_locked.wait(10)
        told.note(
            "invoke", "fault", id="f", outcome="empty store", v={"component": "store", "destroys": True}
        )
        get_redis_connection("sale").flushdb()
        told.note("ok", "fault", id="f", outcome="empty store", v={"component": "store", "destroys": True})
        told.note("invoke", "rebuild")
        rebuilding = threads.submit(in_a_thread, reconcile.rebuild)
        wait([rebuilding], timeout=1.0)
        assert rebuilding.done() != guarded
        may_write.set()
        writing.result(), rebuilding.result()
    told.note("ok", "rebuild", epoch=2)
    expect(told.verdict(ben), guarded, "I2")


@with_and_without
def test_a_store_that_went_back_cannot_oversell_the_rows(
    begin: Begin, guarded: bool, monkeypatch: Patch
) -> None:
    told, (ann, ben, cid) = begin(2, quantity=1)
    told.attempt(ann)
    drain(told)
    sale = told.item.sale_id
    document = scheduling.document(Sale.objects.get(pk=sale))
    document["items"][0].update(holders=[], number=50)
    told.note("invoke", "fault", id="f", outcome="old store", v={"component": "store", "destroys": True})
    get_redis_connection("sale").flushdb()
    stock.run(stock.load(sale, document))
    with ExitStack() as guards:
        if not guarded:
            guards.enter_context(without_the_check())
            monkeypatch.setattr(SaleItem, "free", 9)
        told.attempt(ben)
        drain(told)
        monkeypatch.undo()
        told.note("ok", "fault", id="f", outcome="old store", v={"component": "store", "destroys": True})
        if guarded:
            reconcile.rebuild(sale_id=sale)
            told.note("ok", "rebuild", epoch=2)
            scheduling.resume(sale_id=sale)
        found = told.verdict(cid)
    expect(found, guarded, "I3")
    assert Reservation.objects.filter(status="displaced").count() == (1 if guarded else 0)


@with_and_without
def test_money_that_comes_late_goes_back(begin: Begin, guarded: bool, monkeypatch: Patch) -> None:
    told, (ann, ben) = begin(1, quantity=3)
    rid = told.attempt(ann)
    drain(told)
    started = payment.start(order=Order.objects.get(reservation__rid=rid), variant="dummy")
    reservations.give_back(user=ann, rid=rid)
    if not guarded:
        Order.objects.update(status=Order.Status.AWAITING_PAYMENT)
        monkeypatch.setattr(payment, "_take", lambda _order: True)
    payment.hear(Report(started.token, "confirmed", started.amount, started.currency))
    monkeypatch.undo()
    from shop.orders import refunds

    refunds.send_due()
    found = told.verdict(ben)
    expect(found, guarded, "I11")
    assert Payment.objects.get().status == ("refunded" if guarded else "confirmed")


@with_and_without
def test_nothing_expires_before_its_time(begin: Begin, guarded: bool) -> None:
    told, (ann, ben) = begin(1, quantity=3)
    rid = told.attempt(ann)
    drain(told)
    row = Reservation.objects.get(rid=rid)
    if not guarded:  # a sweeper whose clock is ahead
        let_the_deadline_pass(rid)
    reservations.expire_due()
    Reservation.objects.filter(rid=rid).update(pay_by=row.pay_by)
    found = told.verdict(ben)
    expect(found, guarded, "I14")
