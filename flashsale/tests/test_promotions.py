"""Why nobody was promoted is answerable: in sentences, from the rows and the store."""

from typing import Any

import pytest
from django_redis import get_redis_connection
from redis.exceptions import ConnectionError as StoreAway

from accounts import standing
from accounts.groups import ensure_groups
from accounts.models import User
from flashsale import draining, promotions, reservations, scheduling, stock
from flashsale.models import Reservation, Sale, SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, let_the_deadline_pass, pay, win
from flashsale.tests.pages import logged_in, words

pytestmark = pytest.mark.django_db(transaction=True)


def told(item: SaleItem) -> str:
    (history,) = promotions.of(sale=Sale.objects.get(pk=item.sale_id))
    return " ".join(promotions.why(history))


def test_without_standby_there_is_nothing_to_explain(make_sale: MakeSale) -> None:
    assert told(make_sale()) == "This sale has no standby."
    assert told(make_sale(standby_size=2)) == "Nobody has been on standby."


def test_nothing_came_free(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    win(item, ann)
    attempt(item, ben)
    draining.drain_once(sale_id=item.sale_id)
    text = told(item)
    assert "No unit has come free: everybody paid or still holds one." in text
    assert "A unit can come free until " in text


def test_a_unit_that_came_free_before_anybody_stood_by(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=2), shoppers(3)
    (rid,) = win(item, ann)
    let_the_deadline_pass(rid)
    reservations.expire_due()
    win(item, ben)
    attempt(item, cid)
    draining.drain_once(sale_id=item.sale_id)
    assert "A unit came free 1 time, 0 of it for somebody on standby." in told(item)
    assert "1 time nobody was on standby, or the sale was over." in told(item)


def test_all_were_passed_over_and_by_which_rule(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=2), shoppers(3)
    (rid,) = win(item, ann)
    attempt(item, ben, cid)
    standing.block(users=User.objects.filter(pk__in=[ben.pk, cid.pk]))
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    assert "A unit came free 3 times, 2 of them for somebody on standby." in told(item)
    assert "2 were passed over by F-17: blocked." in told(item)
    assert "Nobody is on standby now." in told(item)


def test_all_are_paid(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    (rid,) = win(item, ann)
    attempt(item, ben)
    draining.drain_once(sale_id=item.sale_id)
    pay(rid)
    assert "All are paid, standby is closed; 1 was told." in told(item)


def test_the_sale_has_ended(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    win(item, ann)
    attempt(item, ben)
    draining.drain_once(sale_id=item.sale_id)
    scheduling.close_now(sale_id=item.sale_id)
    assert "what comes free since then returns to ordinary stock." in told(item)


def test_free_units_beside_standby_are_an_alarm(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=2, standby_size=2), shoppers(2)
    win(item, ann)
    standby = stock.item_keys(item.sale_id, item.pk)[3]
    get_redis_connection("sale").zadd(standby, {str(ben.pk): 1})  # as no function of ours would
    assert "1 free beside 1 on standby: this must not be." in told(item)


def test_a_silent_store_leaves_the_rows(
    make_sale: MakeSale, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    win(item, ann)
    attempt(item, ben)
    draining.drain_once(sale_id=item.sale_id)

    def away(_call: Any) -> None:
        raise StoreAway("away")

    monkeypatch.setattr(stock, "run", away)
    assert "The sale's memory does not answer" in told(item)


def test_the_admin_shows_it_to_whoever_may_see_sales(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=2), shoppers(2)
    (rid,) = win(item, ann)
    attempt(item, ben)
    standing.block(users=User.objects.filter(pk=ben.pk))
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    ensure_groups()
    mei = User.objects.create_user("mei@example.com", is_staff=True)
    mei.groups.set(mei.groups.model.objects.filter(name="merchandiser"))
    client = logged_in(mei)
    text = words(client.get(f"/admin/flashsale/sale/{item.sale_id}/change/"))
    assert "Standby: who was promoted, and why nobody else" in text
    assert "1 was passed over by F-17: blocked." in text
    assert Reservation.objects.filter(status="refused").count() == 1
