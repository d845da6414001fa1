"""A shopper's own reservations: what is told, to whom, and giving back."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone, translation
from redis.exceptions import ConnectionError as StoreAway

from accounts import standing
from accounts.models import Address, User
from flashsale import draining, reservations, stock
from flashsale.models import Reservation, SaleItem
from flashsale.tests.conftest import attempt, let_the_deadline_pass, pay, units, win
from flashsale.tests.pages import address, logged_in, payment_of, press, words
from shop.orders import payment as payments
from shop.orders import shipping
from shop.orders.payment import Report
from shop.templatetags.shop import ms

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


def page(client: Client, rid: str, *more: str) -> Any:
    return client.get("/".join(["/sales/reservations", rid, *more]) + "/")


def give_back(client: Client, rid: str) -> Any:
    return client.post(f"/sales/reservations/{rid}/give-back/", follow=True)


def test_the_deadline_the_total_and_the_way_to_pay_are_told(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(price=4900), shoppers(1)
    (rid,) = win(item, bea)
    row = Reservation.objects.select_related("order").get(rid=rid)
    assert row.order is not None
    response = page(logged_in(bea), rid)
    text = words(response)
    assert f"It is yours until {row.pay_by:%H:%M} UTC" in text
    assert "Pay within 10 minutes. Nothing you do changes this time." in text
    assert f"Total, tax included USD {row.order.total / 100:.2f}" in text
    assert f'href="/orders/{row.order.public_id}/pay/"' in response.content.decode()
    assert f'data-until="{ms(row.pay_by)}"' in response.content.decode()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_days_of_delivery_are_told_before_and_after_paying(
    make_sale: Make, shoppers: Crowd, language: str
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    client = logged_in(bea)
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    with translation.override(language):
        before, after = (shipping.when(timezone.now(), is_paid=is_paid) for is_paid in (False, True))
    assert before in words(page(client, rid))
    pay(rid)
    assert after in words(page(client, rid))


def test_looking_never_moves_the_deadline(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    before = Reservation.objects.get(rid=rid).pay_by
    for _ in range(3):
        page(logged_in(bea), rid)
        attempt(item, bea)
    draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.get(user=bea).pay_by == before


def test_a_unit_that_has_no_row_yet_is_being_prepared(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    rid = attempt(item, bea)[0].rid
    response = page(logged_in(bea), rid)
    assert response.status_code == 200
    assert '<noscript><meta http-equiv="refresh" content="5">' in response.content.decode()
    assert "Your order is being prepared" in words(response)
    draining.drain_once(sale_id=item.sale_id)
    assert "It is yours until" in words(page(logged_in(bea), rid))


def test_a_unit_of_somebody_else_is_not_there(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea, rival) = make_sale(), shoppers(2)
    early = attempt(item, bea)[0].rid
    assert page(logged_in(rival), early).status_code == 404
    draining.drain_once(sale_id=item.sale_id)
    assert page(logged_in(rival), early).status_code == 404
    assert logged_in(rival).post(f"/sales/reservations/{early}/give-back/").status_code == 404
    assert Reservation.objects.get(rid=early).status == "held"


@pytest.mark.parametrize("rid", ["nothing", "1-1-1", "99999999999999999999-1-1", "²-1-1"])
def test_a_unit_that_nobody_knows_is_not_there(shoppers: Crowd, rid: str) -> None:
    assert page(logged_in(shoppers(1)[0]), rid).status_code == 404


def test_without_the_store_nobody_is_told_that_his_unit_does_not_exist(
    make_sale: Make, shoppers: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    rid = attempt(item, bea)[0].rid

    def away(_call: Any) -> None:
        raise StoreAway("away")

    monkeypatch.setattr(stock, "run", away)
    response = page(logged_in(bea), rid)
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_a_guest_is_asked_to_log_in(client: Client) -> None:
    assert page(client, "1-1-1")["Location"].startswith("/accounts/login/")
    assert client.get("/sales/reservations/")["Location"].startswith("/accounts/login/")


def test_paid_leads_to_the_order(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    pay(rid)
    order = Reservation.objects.select_related("order").get(rid=rid).order
    assert order is not None
    response = page(logged_in(bea), rid)
    assert f"Confirmed. Order {order.number}" in words(response)
    assert f'href="/orders/{order.public_id}/"' in response.content.decode()


def test_a_deadline_that_has_passed_offers_no_payment(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    let_the_deadline_pass(rid)
    late = page(logged_in(bea), rid)
    assert "The time to pay ended at" in words(late)
    assert "/pay/" not in late.content.decode()
    reservations.expire_due()
    assert "Nothing was charged" in words(page(logged_in(bea), rid))


def test_a_unit_given_back_goes_to_the_next(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea, rival) = make_sale(quantity=1, standby_size=1), shoppers(2)
    (rid,) = win(item, bea)
    attempt(item, rival)
    text = words(give_back(logged_in(bea), rid))
    assert "You gave it back" in text
    draining.drain_once(sale_id=item.sale_id)
    promoted = Reservation.objects.get(user=rival)
    assert (promoted.status, promoted.promoted) == ("held", True)
    assert "One came free: it is yours until" in words(page(logged_in(rival), promoted.rid))


def test_a_unit_is_given_back_once(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(quantity=3), shoppers(1)
    (rid,) = win(item, bea)
    give_back(logged_in(bea), rid)
    assert units(item) == (3, 0, 0, 0)
    assert "cancelled already" in words(give_back(logged_in(bea), rid))
    assert units(item) == (3, 0, 0, 0)


def test_a_paid_unit_is_not_given_back(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    pay(rid)
    assert "This order is paid." in words(give_back(logged_in(bea), rid))
    assert Reservation.objects.get(rid=rid).status == "paid"


def test_looking_does_not_give_back(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    assert page(logged_in(bea), rid, "give-back").status_code == 405
    assert Reservation.objects.get(rid=rid).status == "held"


def test_a_displaced_unit_is_told_plainly(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    Reservation.objects.filter(rid=rid).update(status="displaced")
    assert "We promised one unit too many" in words(page(logged_in(bea), rid))


def test_the_list_holds_my_units_and_my_standby_places(make_sale: Make, shoppers: Crowd) -> None:
    won, waited = make_sale(), make_sale(quantity=1, standby_size=2)
    bea, rival = shoppers(2)
    win(won, bea)
    attempt(waited, rival, bea)
    draining.drain_once(sale_id=waited.sale_id)
    text = words(logged_in(bea).get("/sales/reservations/"))
    assert str(won.variant) in text
    assert "You are number 1 on standby" in text
    assert str(waited.variant) in text


def test_the_list_of_somebody_else_is_empty(make_sale: Make, shoppers: Crowd) -> None:
    bea, rival = shoppers(2)
    win(make_sale(), bea)
    assert "You have reserved nothing yet" in words(logged_in(rival).get("/sales/reservations/"))


def test_whoever_has_an_address_pays_by_one_press_from_the_page(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea, cid) = make_sale(), shoppers(2)
    parts = {"full_name": "Bea Low", "country": "GB", "line1": "1 Mill Lane", "postcode": "SW1A 1AA"}
    Address.objects.create(user=bea, is_default=True, city="London", **parts)
    rids = win(item, bea, cid)
    client = logged_in(bea)
    body = page(client, rids[0]).content.decode()
    order = Reservation.objects.select_related("order").get(rid=rids[0]).order
    assert order is not None
    assert f'method="post" action="/orders/{order.public_id}/pay/"' in body
    assert "1 Mill Lane" in body
    assert client.post(f"/orders/{order.public_id}/pay/")["Location"].startswith("/payments/")
    assert "Say where it goes, and pay USD" in words(page(logged_in(cid), rids[1]))


def test_while_the_bank_is_asked_nobody_is_told_to_pay_again(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    payment_of(rid, transaction_id="session-1")
    text = words(page(logged_in(bea), rid))
    assert "Your bank is checking the payment" in text
    assert "a second press cannot charge you twice" in text
    assert "nothing is kept: the payment is refused or sent back in full" in text
    assert "Pay USD" not in text


def test_a_bank_that_says_no_leaves_the_unit_and_the_deadline(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    before = Reservation.objects.get(rid=rid).pay_by
    payment_of(rid, status="rejected")
    text = words(page(logged_in(bea), rid))
    assert "The bank did not accept the payment" in text
    assert f"It is still yours until {before:%H:%M} UTC" in text
    assert "Try again or use another way to pay." in text
    assert Reservation.objects.get(rid=rid).pay_by == before


def test_money_that_came_late_is_on_its_way_back(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    payment = payment_of(rid)
    let_the_deadline_pass(rid)
    reservations.expire_due()
    payments.hear(Report(token=payment.token, status="confirmed", amount=payment.amount, currency="USD"))
    text = words(page(logged_in(bea), rid))
    assert "Your bank answered late. USD 53.90 is on its way back to you." in text
    assert "Nothing was charged" not in text


def test_paid_says_what_comes_next_and_masks_the_address_of_the_mail(
    make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    pay(rid)
    text = words(page(logged_in(bea), rid))
    assert "We sent a receipt to s•••@example.com." in text
    assert bea.email not in text
    assert "What happens next" in text
    assert "Ask us, and name the number of the order." in text


def test_whoever_was_passed_over_reads_why(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea, rival) = make_sale(quantity=1, standby_size=1), shoppers(2)
    (rid,) = win(item, rival)
    attempt(item, bea)
    draining.drain_once(sale_id=item.sale_id)
    standing.block(users=User.objects.filter(pk=bea.pk))
    reservations.give_back(user=rival, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    text = words(page(logged_in(bea), Reservation.objects.get(user=bea).rid))
    assert "One came free and went to the next person" in text
    assert "We could not let this account in." in text
    assert "Code F-17: support can look it up." in text


def test_a_second_browser_shows_the_same_deadline(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    before = ms(Reservation.objects.get(rid=rid).pay_by)
    first, second = logged_in(bea), logged_in(bea)
    for client in (first, second, first):
        response = client.get(address(item, "items", str(item.pk)), follow=True)
        assert f'data-until="{before}"' in response.content.decode()
        client.get(address(item))
        press(client, item)


def test_a_promotion_is_declined_by_one_press(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea, rival) = make_sale(quantity=1, standby_size=2), shoppers(2)
    (rid,) = win(item, rival)
    attempt(item, bea)
    draining.drain_once(sale_id=item.sale_id)
    reservations.give_back(user=rival, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    promoted = Reservation.objects.get(user=bea).rid
    body = page(logged_in(bea), promoted).content.decode()
    assert f'action="/sales/reservations/{promoted}/give-back/"' in body
    assert "<summary>" not in body.partition("<main")[2]
    assert "You declined it" in words(give_back(logged_in(bea), promoted))
    assert units(item) == (1, 0, 0, 0)
