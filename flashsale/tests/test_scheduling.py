"""A sale's own life."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flashsale import draining, reconcile, reservations, scheduling
from flashsale.errors import SchedulingError
from flashsale.models import Sale, SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, let_the_deadline_pass, pay, units, win

pytestmark = pytest.mark.django_db(transaction=True)


def end(sale: Sale) -> None:
    sale.closes_at = timezone.now() - timedelta(seconds=1)
    sale.save(update_fields=["closes_at"])
    scheduling.warm(sale_id=sale.pk)


def test_scheduling_moves_the_units_out_of_ordinary_stock(make_sale: MakeSale) -> None:
    item = make_sale(quantity=3)
    item.variant.refresh_from_db()
    assert item.variant.stock == 10
    assert units(item) == (3, 0, 0, 0)


def test_a_sale_of_more_than_there_is_is_refused_and_nothing_moves(make_sale: MakeSale) -> None:
    item = make_sale(quantity=3, scheduled=False)
    SaleItem.objects.filter(pk=item.pk).update(quantity=14)
    with pytest.raises(SchedulingError, match="not enough ordinary stock"):
        scheduling.schedule(sale=item.sale)
    item.variant.refresh_from_db()
    assert (item.variant.stock, Sale.objects.get().state) == (13, "draft")


def test_a_sale_is_scheduled_once(make_sale: MakeSale) -> None:
    item = make_sale()
    with pytest.raises(SchedulingError, match="scheduled before"):
        scheduling.schedule(sale=item.sale)
    item.variant.refresh_from_db()
    assert item.variant.stock == 10


def test_an_overlapping_sale_of_the_same_variant_is_refused_by_name(make_sale: MakeSale) -> None:
    first = make_sale()
    second = make_sale(scheduled=False)
    SaleItem.objects.filter(pk=second.pk).update(variant=first.variant)
    with pytest.raises(SchedulingError, match=first.sale.title):
        scheduling.schedule(sale=second.sale)
    first.variant.refresh_from_db()
    assert first.variant.stock == 10


def test_closing_returns_what_was_not_paid(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=3), shoppers(2)
    paid, unpaid = win(item, ann, ben)
    pay(paid)
    end(item.sale)
    assert scheduling.close(sale_id=item.sale_id) is False
    item.variant.refresh_from_db()
    assert item.variant.stock == 10 + 1
    let_the_deadline_pass(unpaid)
    reservations.expire_due()
    assert scheduling.close(sale_id=item.sale_id) is True
    item.refresh_from_db()
    item.variant.refresh_from_db()
    assert (item.held, item.paid, item.returned, item.variant.stock) == (0, 1, 2, 12)
    assert units(item) == (0, 0, 1, 2)
    assert reconcile.compare(sale_id=item.sale_id).is_clean


def test_closing_waits_for_reservations_that_are_on_their_way(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(quantity=3), shoppers(1)
    attempt(item, ann)
    end(item.sale)
    assert scheduling.close(sale_id=item.sale_id) is False
    item.refresh_from_db()
    assert item.returned == 0
    draining.drain_once(sale_id=item.sale_id)
    scheduling.close(sale_id=item.sale_id)
    item.refresh_from_db()
    assert (item.held, item.returned) == (1, 2)


def test_closing_twice_returns_once(make_sale: MakeSale) -> None:
    item = make_sale(quantity=3)
    end(item.sale)
    assert [scheduling.close(sale_id=item.sale_id) for _ in range(2)] == [True, True]
    item.variant.refresh_from_db()
    assert item.variant.stock == 13


def test_after_the_end_a_released_unit_is_not_promoted(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=1), shoppers(2)
    rid = attempt(item, ann, ben)[0].rid
    draining.drain_once(sale_id=item.sale_id)
    end(item.sale)
    let_the_deadline_pass(rid)
    reservations.expire_due()
    scheduling.close(sale_id=item.sale_id)
    assert item.standby.get().status == "closed"
    assert units(item) == (0, 0, 0, 1)
