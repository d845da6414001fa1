"""Faults 1, 2, 5 and 6 of well-known recipes: who gets a unit. Each test is put to the recipe and to ours.

The recipe's figure shows the fault, and thereby that the test can see it.
"""

from collections.abc import Callable
from functools import partial
from threading import Barrier

import pytest
from django_redis import get_redis_connection

from accounts.models import User
from flashsale import draining, stock
from flashsale.models import Reservation, SaleItem
from flashsale.tests.conftest import attempt, units
from flashsale.tests.recipes import CheckedCounter, Consumer, OrderTable, PeopleQueue
from shop.orders.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
MakeSale = Callable[..., SaleItem]
Shoppers = Callable[[int], list[User]]
BOTH = ["recipe", "ours"]


def sold_by_a_checked_counter(item: SaleItem, crowd: list[User]) -> int:
    counter = CheckedCounter(quantity=item.quantity)
    return sum(counter.attempt(user.pk) for user in crowd)


def sold_by_us(item: SaleItem, crowd: list[User]) -> int:
    return [answer.outcome for answer in attempt(item, *crowd)].count("reserved")


@pytest.mark.parametrize(("sell", "sold"), [(sold_by_a_checked_counter, 1001), (sold_by_us, 1000)], ids=BOTH)
def test_fault_1_a_thousand_units_are_sold_a_thousand_times(
    make_sale: MakeSale, sell: Callable[[SaleItem, list[User]], int], sold: int
) -> None:
    crowd = [User(pk=number) for number in range(1, 1201)]
    assert sell(make_sale(quantity=1000), crowd) == sold


def left_by_a_people_queue(_item: SaleItem, ann: User, ben: User) -> tuple[int, int]:
    queue = PeopleQueue(quantity=1)
    queue.attempt(ann.pk)
    queue.attempt(ben.pk, between=queue.release)
    return queue.free_and_waiting()


def left_by_us(item: SaleItem, ann: User, ben: User) -> tuple[int, int]:
    rid = attempt(item, ann)[0].rid
    # There is no "between" to come by at, so the two are let loose on each other.
    release = stock.release(item.sale_id, item.pk, user=ann.pk, rid=rid)
    at_once([lambda: attempt(item, ben), lambda: stock.run(release)])
    status = stock.run(stock.status(item.sale_id, [item.pk]))
    assert status is not None
    assert attempt(item, ben)[0].outcome == "reserved"
    return status.items[item.pk].free, status.items[item.pk].standby


@pytest.mark.parametrize(
    ("race", "free_and_waiting"), [(left_by_a_people_queue, (1, 1)), (left_by_us, (0, 0))], ids=BOTH
)
def test_fault_2_no_unit_is_free_while_somebody_stands_by(
    make_sale: MakeSale,
    shoppers: Shoppers,
    race: Callable[[SaleItem, User, User], tuple[int, int]],
    free_and_waiting: tuple[int, int],
) -> None:
    left = {race(make_sale(quantity=1, standby_size=1), *shoppers(2)) for _ in range(10)}
    assert left == {free_and_waiting}


def taken_from_two_consumers(_item: SaleItem, ann: User) -> int:
    consumer, both_have_seen = Consumer(quantity=5), Barrier(2, timeout=10)
    one_message = partial(consumer.consume, ann.pk, seen=both_have_seen.wait)
    at_once([one_message, one_message])
    return 5 - consumer.free()


def taken_from_us(item: SaleItem, ann: User) -> int:
    at_once([lambda: attempt(item, ann), lambda: attempt(item, ann)])
    return item.quantity - units(item)[0]


@pytest.mark.parametrize(("take", "taken"), [(taken_from_two_consumers, 2), (taken_from_us, 1)], ids=BOTH)
def test_fault_5_two_consumers_give_one_shopper_one_unit(
    make_sale: MakeSale, shoppers: Shoppers, take: Callable[[SaleItem, User], int], taken: int
) -> None:
    assert {take(make_sale(quantity=5), *shoppers(1)) for _ in range(10)} == {taken}


def orders_of_an_order_table(item: SaleItem, winners: list[User]) -> int:
    table = OrderTable()
    for user in winners:
        table.insert(item=item.pk, user=user.pk)
    return table.count()


def orders_of_ours(item: SaleItem, winners: list[User]) -> int:
    for number, user in enumerate(winners, 1):
        entry = {
            "kind": "reserved",
            "user": user.pk,
            "ref": f"{item.pk}-1-{number}",
            "at": 1,
            "pay_by": 600_000,
        }
        get_redis_connection("sale").xadd(stock.sale_keys(item.sale_id)[1], entry)
    draining.drain_once(sale_id=item.sale_id)
    displaced = Reservation.objects.filter(status="displaced", order=None)
    assert [row.user for row in displaced.order_by("pk")] == winners[item.quantity :]
    return Reservation.objects.exclude(order=None).count()


@pytest.mark.parametrize(("record", "orders"), [(orders_of_an_order_table, 4), (orders_of_ours, 2)], ids=BOTH)
def test_fault_6_a_store_that_lies_cannot_make_the_database_oversell(
    make_sale: MakeSale,
    shoppers: Shoppers,
    record: Callable[[SaleItem, list[User]], int],
    orders: int,
) -> None:
    assert record(make_sale(quantity=2), shoppers(4)) == orders
