"""Standby: until when it can happen, how quickly a unit moves on, and its end."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from flashsale import draining, reconcile, reservations, scheduling, standby, stock
from flashsale.models import Reservation, SaleItem, StandbyEntry
from flashsale.tests.conftest import (
    MakeSale,
    MakeShoppers,
    attempt,
    is_clean,
    let_the_deadline_pass,
    pay,
    win,
)
from shop.orders.models import OutboxMail

pytestmark = pytest.mark.django_db(transaction=True)


def stand_by(item: SaleItem, *users: User) -> None:
    assert [answer.outcome for answer in attempt(item, *users)] == ["standby"] * len(users)
    draining.drain_once(sale_id=item.sale_id)


def places(item: SaleItem) -> list[int]:
    return stock.run(stock.standby(item.sale_id, item.pk))


def test_the_last_deadline_is_the_last_chance(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=2, standby_size=1), shoppers(2)
    assert standby.latest_chance(item) is None
    win(item, *crowd)
    last = max(Reservation.objects.values_list("pay_by", flat=True))
    assert standby.latest_chance(item) == last
    item.sale.closes_at = timezone.now()
    assert standby.latest_chance(item) == item.sale.closes_at


def test_leaving_lets_the_next_move_up_within_a_second(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=1, standby_size=5), shoppers(4)
    win(item, crowd[0])
    stand_by(item, *crowd[1:])
    began = time.monotonic()
    assert standby.leave(user=crowd[1], item=item)
    place = stock.run(stock.place(item.sale_id, item.pk, user=crowd[2].pk))
    assert time.monotonic() - began < 1
    assert place is not None
    assert place.position == 1
    assert not standby.leave(user=crowd[1], item=item)


def test_declining_hands_the_unit_on_within_a_second(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=5), shoppers(3)
    (rid,) = win(item, ann)
    stand_by(item, ben, cid)
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    promoted = Reservation.objects.get(user=ben)
    began = time.monotonic()
    reservations.give_back(user=ben, rid=promoted.rid)
    draining.drain_once(sale_id=item.sale_id)
    assert time.monotonic() - began < 1
    assert Reservation.objects.get(user=cid).status == "held"
    assert is_clean(item)


def test_the_last_payment_ends_standby_and_tells_each_once(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=2, standby_size=5), shoppers(5)
    rids = win(item, *crowd[:2])
    stand_by(item, *crowd[2:])
    pay(rids[0])
    assert len(places(item)) == 3
    pay(rids[1])
    assert places(item) == []
    assert set(StandbyEntry.objects.values_list("status", flat=True)) == {"closed"}
    letters = OutboxMail.objects.filter(kind="standby_over")
    assert {letter.to for letter in letters} == {user.email for user in crowd[2:]}
    assert {letter.context["all_paid"] for letter in letters} == {True}
    assert standby.close_all_paid() == 0
    assert letters.count() == 3
    assert is_clean(item)


def test_whoever_comes_when_all_are_paid_finds_it_sold_out(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, late) = make_sale(quantity=1, standby_size=5), shoppers(2)
    (rid,) = win(item, ann)
    pay(rid)
    assert attempt(item, late)[0].outcome == "sold_out"
    status = stock.run(stock.status(item.sale_id, [item.pk]))
    assert status is not None
    assert (status.standby_free(item.pk), status.is_gone(item.pk)) == (0, True)


def test_a_place_that_is_recorded_after_the_last_payment_is_closed_too(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=5), shoppers(2)
    (rid,) = win(item, ann)
    attempt(item, ben)
    pay(rid)
    draining.drain_once(sale_id=item.sale_id)
    assert StandbyEntry.objects.get(user=ben).status == "waiting"
    assert standby.close_all_paid() == 1
    assert StandbyEntry.objects.get(user=ben).status == "closed"


def test_a_unit_that_is_held_keeps_standby_open(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid) = make_sale(quantity=2, standby_size=5), shoppers(3)
    rids = win(item, ann, ben)
    stand_by(item, cid)
    pay(rids[0])
    assert standby.close_all_paid() == 0
    let_the_deadline_pass(rids[1])
    reservations.expire_due()
    draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.get(user=cid).status == "held"


def test_the_end_of_the_sale_ends_standby_and_says_so(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=5), shoppers(2)
    win(item, ann)
    stand_by(item, ben)
    scheduling.close_now(sale_id=item.sale_id)
    scheduling.close(sale_id=item.sale_id)
    letter = OutboxMail.objects.get(kind="standby_over")
    assert (letter.to, letter.context["all_paid"]) == (ben.email, False)
    assert StandbyEntry.objects.get(user=ben).status == "closed"


def test_two_workers_tell_each_of_them_once(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=1, standby_size=40), shoppers(31)
    (rid,) = win(item, crowd[0])
    attempt(item, *crowd[1:])
    pay(rid)
    draining.drain_once(sale_id=item.sale_id)

    def close(_: int) -> int:
        try:
            return standby.close_all_paid()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(close, range(4))) == 30
    assert OutboxMail.objects.filter(kind="standby_over").count() == 30


def test_a_rebuilt_store_does_not_revive_standby(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=5), shoppers(2)
    (rid,) = win(item, ann)
    stand_by(item, ben)
    pay(rid)
    assert reconcile.rebuild(sale_id=item.sale_id).is_clean
    assert places(item) == []
