"""Ordinary stock: who takes the last unit, and what happens to the one who comes second."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from shop.catalogue import stock
from shop.catalogue.errors import OutOfStock, Shortage
from shop.catalogue.models import Variant
from shop.catalogue.tests.shelf import a_product, a_variant


def only_variant(units: int) -> Variant:
    return a_product(stock=units).variants.get()


def left(variant: Variant) -> int:
    return Variant.objects.get(pk=variant.pk).stock


@pytest.mark.django_db
def test_taken_units_leave_the_stock() -> None:
    variant = only_variant(5)
    with transaction.atomic():
        stock.take({variant.pk: 2})
    assert left(variant) == 3


@pytest.mark.django_db
def test_units_given_back_can_be_bought_again() -> None:
    variant = only_variant(5)
    with transaction.atomic():
        stock.give_back({variant.pk: 2})
    assert left(variant) == 7


@pytest.mark.django_db
def test_a_shortage_names_every_short_line_and_takes_nothing() -> None:
    lamp, plenty = a_product(stock=1).variants.get(), a_product("Jug", stock=9).variants.get()
    missing = plenty.pk + 1000
    with pytest.raises(OutOfStock) as caught, transaction.atomic():
        stock.take({lamp.pk: 2, plenty.pk: 1, missing: 1})
    assert caught.value.lines == (
        Shortage(variant_id=lamp.pk, title="Storm Lantern", wanted=2, left=1),
        Shortage(variant_id=missing, title="", wanted=1, left=0),
    )
    assert (left(lamp), left(plenty)) == (1, 9)


@pytest.mark.django_db
def test_the_last_unit_can_be_taken_but_not_one_more() -> None:
    variant = only_variant(1)
    with transaction.atomic():
        stock.take({variant.pk: 1})
    with pytest.raises(OutOfStock), transaction.atomic():
        stock.take({variant.pk: 1})
    assert left(variant) == 0


@pytest.mark.django_db
@pytest.mark.parametrize("verb", [stock.take, stock.give_back])
@pytest.mark.parametrize("quantity", [0, -1])
def test_a_quantity_below_one_is_a_mistake_of_the_caller(verb: object, quantity: int) -> None:
    variant = only_variant(5)
    with pytest.raises(ValueError, match="at least 1"), transaction.atomic():
        verb({variant.pk: quantity})  # type: ignore[operator]
    assert left(variant) == 5


@pytest.mark.django_db
def test_a_deleted_variant_is_passed_over_when_units_come_back() -> None:
    variant = only_variant(5)
    with transaction.atomic():
        stock.give_back({variant.pk: 1, variant.pk + 1000: 3})
    assert left(variant) == 6


@pytest.mark.django_db(transaction=True)
def test_units_are_only_taken_inside_a_transaction() -> None:
    variant = only_variant(5)
    with pytest.raises(TransactionManagementError):
        stock.take({variant.pk: 1})
    assert left(variant) == 5


def buy(variant: Variant, ready: Barrier) -> bool:
    """One shopper, with a connection of her own."""
    ready.wait()
    try:
        with transaction.atomic():
            stock.take({variant.pk: 1})
    except OutOfStock:
        return False
    else:
        return True
    finally:
        connection.close()


def two_shoppers(variant: Variant) -> int:
    """Two shoppers press at once; returns how many were told that they got it."""
    ready = Barrier(2)
    with ThreadPoolExecutor(2) as shoppers:
        return sum(shoppers.map(lambda _: buy(variant, ready), range(2)))


@pytest.mark.django_db(transaction=True)
def test_two_shoppers_and_one_unit_exactly_one_gets_it() -> None:
    variant = only_variant(1)
    assert two_shoppers(variant) == 1
    assert left(variant) == 0


@pytest.mark.django_db(transaction=True)
def test_twelve_shoppers_and_five_units_exactly_five_get_one() -> None:
    variant = only_variant(5)
    ready = Barrier(12)
    with ThreadPoolExecutor(12) as shoppers:
        won = sum(shoppers.map(lambda _: buy(variant, ready), range(12)))
    assert (won, left(variant)) == (5, 0)


def read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the lock away, and let both shoppers read before either writes: the interleaving it prevents."""
    both_have_read = Barrier(2)

    def unlocked(pks: Iterable[int]) -> list[Variant]:
        variants = list(Variant.objects.filter(pk__in=list(pks)).select_related("product"))
        both_have_read.wait(timeout=10)
        return variants

    monkeypatch.setattr(stock, "locked", unlocked)


@pytest.mark.django_db(transaction=True)
def test_control_without_any_guard_one_unit_is_sold_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    variant = only_variant(1)
    read_together(monkeypatch)

    def written_without_looking(pk: int, quantity: int) -> bool:
        return Variant.objects.filter(pk=pk).update(stock=variant.stock - quantity) == 1

    monkeypatch.setattr(stock, "_subtract", written_without_looking)
    assert two_shoppers(variant) == 2


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_the_condition_of_the_write_still_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    variant = only_variant(1)
    read_together(monkeypatch)
    assert two_shoppers(variant) == 1
    assert left(variant) == 0


@pytest.mark.django_db(transaction=True)
def test_carts_that_name_their_lines_in_opposite_order_do_not_block_each_other() -> None:
    product = a_product(price=-1)
    one, other = a_variant(product, "One", stock=40), a_variant(product, "Other", stock=40)
    ready = Barrier(2)

    def shop(order: tuple[Variant, Variant]) -> None:
        ready.wait()
        for _ in range(20):
            with transaction.atomic():
                stock.take({variant.pk: 1 for variant in order})
        connection.close()

    with ThreadPoolExecutor(2) as shoppers:
        list(shoppers.map(shop, [(one, other), (other, one)]))
    assert (left(one), left(other)) == (0, 0)
