"""Races that other shops' users reported, named by thread (C2: fossasia/eventyay #1359, and so on).

Each guard against a race has a control: the same race with the guard patched away, and what then happens.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from threading import Barrier

import pytest
from django.conf import settings
from django.db import IntegrityError, connection
from django.db.models import QuerySet
from django.test import Client
from django_redis import get_redis_connection

from accounts.models import User
from flashsale import draining, recording, reservations, stock
from flashsale.models import Reservation, SaleItem
from flashsale.stream import Entry
from flashsale.tests.conftest import attempt, is_clean, let_the_deadline_pass, pay, units, win
from shop import store
from shop.orders import endings
from shop.orders.errors import NotCancellable, Refused
from shop.orders.models import Order
from shop.orders.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MakeSale = Callable[..., SaleItem]
Shoppers = Callable[[int], list[User]]
Patch = pytest.MonkeyPatch


def no_locks(patch: Patch) -> None:
    patch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)


def meet_before(patch: Patch, module: object, name: str) -> None:
    """Let two threads come as far as `name` before either does it: the interleaving that a lock prevents."""
    act, both = getattr(module, name), Barrier(2, timeout=10)

    def meet(*args: object, **kwargs: object) -> object:
        both.wait()
        return act(*args, **kwargs)

    patch.setattr(module, name, meet)


# C2 (fossasia/eventyay #1359): a shortcut that skipped the lock sold a quota of one twice.


def at_the_gate(item: SaleItem, user: User) -> str:
    async def story() -> str:
        client = store.connect_async(settings.REDIS_URL)
        call = stock.attempt(item.sale_id, [(item.pk, user.pk)], per_minute=100)
        try:
            return (await stock.run_async(client, call)).answers[0].outcome
        finally:
            await client.aclose()

    return asyncio.run(story())


def without_javascript(item: SaleItem, user: User) -> str:
    client = Client()
    client.force_login(user)
    assert client.post(f"/sales/{item.sale.slug}/enter/").status_code == 302
    answer = client.post(f"/sales/{item.sale.slug}/items/{item.pk}/attempt/")
    return "reserved" if "/reservations/" in answer["Location"] else "sold_out"


def by_a_shortcut(item: SaleItem, user: User, *, both_have_looked: Barrier) -> str:
    free = units(item)[0]
    both_have_looked.wait()
    if not free:
        return "sold_out"
    entry = {"kind": "reserved", "user": user.pk, "ref": f"{item.pk}-1-{user.pk}", "at": 1, "pay_by": 600_000}
    get_redis_connection("sale").xadd(stock.sale_keys(item.sale_id)[1], entry)
    return "reserved"


def test_c2_the_last_unit_is_sold_once_at_all_doors_together(make_sale: MakeSale, shoppers: Shoppers) -> None:
    item, crowd = make_sale(quantity=1), shoppers(6)
    doors = (at_the_gate, without_javascript) * 3
    told = at_once([partial(door, item, user) for door, user in zip(doors, crowd, strict=True)])
    assert sorted(told) == ["reserved"] + ["sold_out"] * 5
    assert units(item) == (0, 1, 0, 0)


def test_c2_control_a_shortcut_past_the_one_door_promises_it_twice(
    make_sale: MakeSale, shoppers: Shoppers
) -> None:
    item, looked = make_sale(quantity=1), Barrier(2, timeout=10)
    told = at_once([partial(by_a_shortcut, item, user, both_have_looked=looked) for user in shoppers(2)])
    assert told == ["reserved", "reserved"]
    draining.drain_once(sale_id=item.sale_id)  # and the rows have the last word
    assert sorted(Reservation.objects.values_list("status", flat=True)) == ["displaced", "held"]


# C3 (django-oscar #4524, #2102): the last item sold twice, and a lost `num_allocated`.


def record_two_lies(item: SaleItem, crowd: list[User]) -> list[str]:
    """Two workers record one reservation each of an item; return how each of them fared."""

    def record(user: User) -> str:
        lie = Entry("1-1", "reserved", user.pk, f"{item.pk}-1-{user.pk}", 1, 600_000)
        try:
            recording.record(sale_id=item.sale_id, entries=[lie])
        except IntegrityError as error:
            return "never_oversold" if "never_oversold" in str(error) else str(error)
        return "recorded"

    return sorted(at_once([partial(record, user) for user in crowd]))


def statuses() -> list[str]:
    return sorted(Reservation.objects.values_list("status", flat=True))


@contextmanager
def without_the_check() -> Iterator[None]:
    check = next(one for one in SaleItem._meta.constraints if one.name == "never_oversold")
    with connection.schema_editor() as editor:
        editor.remove_constraint(SaleItem, check)
    try:
        yield
    finally:
        SaleItem.objects.update(held=0)
        with connection.schema_editor() as editor:
            editor.add_constraint(SaleItem, check)


def test_c3_two_workers_cannot_sell_the_last_unit_twice(make_sale: MakeSale, shoppers: Shoppers) -> None:
    assert record_two_lies(make_sale(quantity=1), shoppers(2)) == ["recorded", "recorded"]
    assert statuses() == ["displaced", "held"]


def test_c3_control_without_the_lock_the_check_refuses_the_second(
    make_sale: MakeSale, shoppers: Shoppers, monkeypatch: Patch
) -> None:
    item, crowd = make_sale(quantity=1), shoppers(2)
    no_locks(monkeypatch)
    meet_before(monkeypatch, recording, "_insert")
    assert record_two_lies(item, crowd) == ["never_oversold", "recorded"]
    assert statuses() == ["held"]


def test_c3_control_without_lock_and_check_it_is_sold_twice(
    make_sale: MakeSale, shoppers: Shoppers, monkeypatch: Patch
) -> None:
    item, crowd = make_sale(quantity=1), shoppers(2)
    no_locks(monkeypatch)
    meet_before(monkeypatch, recording, "_insert")
    with without_the_check():
        assert record_two_lies(item, crowd) == ["recorded", "recorded"]
        assert statuses() == ["held", "held"]
        assert SaleItem.objects.get().held == 2


def give_two_back(item: SaleItem, crowd: list[User]) -> int:
    """Two shoppers give their units back at once; return what the row still counts as held."""
    rids = win(item, *crowd)
    at_once(
        [partial(reservations.give_back, user=user, rid=rid) for user, rid in zip(crowd, rids, strict=True)]
    )
    return SaleItem.objects.get(pk=item.pk).held


def test_c3_two_ends_at_once_are_both_counted(make_sale: MakeSale, shoppers: Shoppers) -> None:
    item = make_sale(quantity=2)
    assert give_two_back(item, shoppers(2)) == 0
    assert is_clean(item)


def test_c3_control_read_and_written_back_one_of_them_is_lost(
    make_sale: MakeSale, shoppers: Shoppers, monkeypatch: Patch
) -> None:
    item, both_have_read = make_sale(quantity=2), Barrier(2, timeout=10)

    def read(name: str) -> int:
        count: int = SaleItem.objects.values_list(name, flat=True).get(pk=item.pk)
        both_have_read.wait()
        return count

    monkeypatch.setattr(reservations, "F", read)
    assert give_two_back(item, shoppers(2)) == 1


# C4 (saleor #543, #5334): allocations went missing under load, and nobody could say where.


ACTS = ["attempt"] * 3 + ["drain"] * 2 + ["give back", "pay", "expire", "leave"]


def act_at_random(item: SaleItem, crowd: list[User], *, seed: int) -> None:
    chance = Random(seed)
    for _ in range(15):
        user = chance.choice(crowd)
        row = Reservation.objects.filter(user=user, status="held").first()
        act = chance.choice(ACTS)
        if act == "attempt":
            attempt(item, user)
        elif act == "drain":
            draining.drain_once(sale_id=item.sale_id, consumer=f"worker-{seed}")
        elif act == "leave":
            stock.run(stock.leave(item.sale_id, item.pk, user=user.pk))
        elif row is not None:
            end(user, row.rid, act)


def end(user: User, rid: str, act: str) -> None:
    try:
        if act == "pay":
            pay(rid)
        elif act == "give back":
            reservations.give_back(user=user, rid=rid)
        else:
            let_the_deadline_pass(rid)
            reservations.expire_due()
    except Refused:
        pass  # somebody else has ended it a moment before


@pytest.mark.parametrize("seed", [10, 20, 30])
def test_c4_after_a_storm_both_stores_explain_every_unit(
    make_sale: MakeSale, shoppers: Shoppers, seed: int
) -> None:
    item, crowd = make_sale(quantity=3, standby_size=2, limit=2), shoppers(6)
    at_once([partial(act_at_random, item, crowd, seed=seed + thread) for thread in range(3)])
    draining.drain_once(sale_id=item.sale_id)
    item.refresh_from_db()
    assert is_clean(item)
    assert len(statuses()) >= item.quantity
    assert statuses().count("held") == item.held
    assert statuses().count("paid") == item.paid
    assert units(item) == (item.free, item.held, item.paid, item.returned)


# C8 (pretix #1163, #1405): after a cancel a unit came back twice, or not at all.


def cancel_twice(rid: str) -> list[str]:
    order = Order.objects.get(reservation__rid=rid)

    def cancel() -> str:
        try:
            endings.cancel(order=order)
        except NotCancellable:
            return "refused"
        return "cancelled"

    return sorted(at_once([cancel, cancel]))


def test_c8_a_double_cancel_returns_one_unit(make_sale: MakeSale, shoppers: Shoppers) -> None:
    item = make_sale(quantity=3)
    rid, _ = win(item, *shoppers(2))
    assert cancel_twice(rid) == ["cancelled", "refused"]
    assert units(item) == (2, 1, 0, 0)
    assert is_clean(item)


def test_c8_control_without_lock_and_compare_it_returns_two(
    make_sale: MakeSale, shoppers: Shoppers, monkeypatch: Patch
) -> None:
    item = make_sale(quantity=3)
    rid, _ = win(item, *shoppers(2))
    no_locks(monkeypatch)
    monkeypatch.setattr(reservations, "_flip", lambda order, _status: Reservation.objects.get(order=order))
    meet_before(monkeypatch, endings, "_end")
    assert cancel_twice(rid) == ["cancelled", "cancelled"]
    assert SaleItem.objects.get(pk=item.pk).held == 0  # though one unit is held
    assert not is_clean(item)
