"""Two thousand shoppers, a hundred units, fifty standby places, over real HTTP."""

import asyncio
from collections import Counter

import pytest
from django.conf import settings

from flashsale import crowd, draining, reconcile, reservations
from flashsale.models import Reservation, SaleItem
from flashsale.tests.conftest import MakeSale, let_the_deadline_pass, pay, units
from flashsale.tests.gates import running_gate
from shop.orders.models import Order

pytestmark = pytest.mark.django_db(transaction=True)
SHOPPERS, TRIES = 2000, 3


def storm(item: SaleItem) -> list[crowd.Outcome]:
    users = crowd.make_shoppers(SHOPPERS)
    passes = dict(zip(users, crowd.issue_passes(item.sale, users), strict=True))
    with running_gate() as gate:
        path = f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt"
        return asyncio.run(
            crowd.storm(gate=gate, path=path, passes=passes, tries=TRIES, seconds=1.0, tell=lambda _: None)
        )


def test_exactly_the_units_are_sold_and_the_unpaid_ones_move_on_in_order(make_sale: MakeSale) -> None:
    item = make_sale(quantity=100, standby_size=50)
    outcomes = storm(item)

    assert all(len(outcome.answers) == TRIES for outcome in outcomes)
    assert crowd.count(outcomes) == Counter(reserved=100, standby=50, sold_out=SHOPPERS - 150)
    for outcome in outcomes:
        told = {
            (answer["outcome"], answer.get("reservation"), answer.get("number"))
            for _, answer in outcome.answers
        }
        assert len(told) == 1, "every try of a shopper was told the same"
    draining.drain_once(sale_id=item.sale_id)
    assert Order.objects.count() == Reservation.objects.values("user").distinct().count() == 100
    assert reconcile.compare(sale_id=item.sale_id).is_clean

    rids = list(Reservation.objects.order_by("pk").values_list("rid", flat=True))
    for rid in rids[::2]:
        pay(rid)
    let_the_deadline_pass(*rids[1::2])
    assert reservations.expire_due() == 50
    draining.drain_once(sale_id=item.sale_id)
    standby = sorted(
        (answers[0][1]["number"], outcome.user)
        for outcome in outcomes
        if outcome.last == "standby" and (answers := outcome.answers)
    )
    promoted = Reservation.objects.filter(promoted=True).order_by("pk").values_list("user", flat=True)
    assert list(promoted) == [user for _, user in standby]
    assert units(item) == (0, 50, 50, 0)
    assert reconcile.compare(sale_id=item.sale_id).is_clean
    assert settings.ATTEMPTS_PER_MINUTE >= TRIES
