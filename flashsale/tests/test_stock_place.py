"""What one shopper has of an item, asked for without reading everybody's."""

from collections.abc import Callable

import pytest

from accounts.models import User
from flashsale import stock
from flashsale.models import SaleItem
from flashsale.replies import Answer
from flashsale.tests.conftest import attempt, units, win

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


def place(item: SaleItem, user: User) -> Answer | None:
    return stock.run(stock.place(item.sale_id, item.pk, user=user.pk))


def test_a_place_is_what_an_attempt_would_tell_again(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=1, standby_size=2), shoppers(3)
    attempt(item, *crowd)
    assert [place(item, user) for user in crowd] == attempt(item, *crowd)


def test_a_paid_unit_is_told_as_paid(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    stock.run(stock.pay(item.sale_id, item.pk, user=bea.pk, rid=rid))
    assert place(item, bea) == attempt(item, bea)[0]


def test_who_has_nothing_is_told_nothing_and_gets_nothing(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(quantity=3), shoppers(1)
    assert place(item, bea) is None
    assert units(item) == (3, 0, 0, 0)


def test_a_store_without_the_sale_knows_of_nobody(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(scheduled=False), shoppers(1)
    assert place(item, bea) is None
