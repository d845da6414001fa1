"""What the pages of an order say in each of its states."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import addresses
from accounts.models import User
from shop.catalogue.models import Variant
from shop.orders import holds, progress
from shop.orders import payment as payments
from shop.orders.models import Order, OutboxMail, Payment
from shop.orders.stock_hold import StockHold
from shop.orders.tests.conftest import ADDRESS, check_out, make_order, put_into_cart

JUNE = datetime(2026, 6, 2, 12, tzinfo=UTC)
NO_ADDRESS: dict[str, Any] = dict.fromkeys(ADDRESS, "")


class Held(StockHold):
    """A sale that has the unit."""

    def pay(self, **_: Order) -> bool:
        return True

    def release(self, **_: Order) -> None:
        return


@pytest.fixture
def shopper(client: Client, buyer: User) -> Client:
    client.force_login(buyer)
    return client


@pytest.fixture
def sale_order(buyer: User, lamp: Variant, monkeypatch: pytest.MonkeyPatch) -> Order:
    monkeypatch.setitem(holds._holds, "sale", Held())
    return make_order(lamp, user=buyer, email=buyer.email, hold="sale", **NO_ADDRESS)


def page(client: Client, order: Order, part: str = "") -> str:
    return client.get(f"/orders/{order.public_id}/{part}").content.decode()


def test_a_sale_s_order_is_asked_for_its_address_first(shopper: Client, sale_order: Order) -> None:
    path = f"/orders/{sale_order.public_id}/"
    assert "Where does it go?" in page(shopper, sale_order, "pay/")
    shopper.post(path + "pay/")
    assert sale_order.payments.count() == 0
    wrong = shopper.post(path + "address/", {**ADDRESS, "city": ""})
    assert (wrong.status_code, wrong.content.decode().count("Enter a city.")) == (422, 2)
    assert shopper.post(path + "address/", ADDRESS)["Location"] == path + "pay/"
    assert "<h1>Pay USD 53.90</h1>" in page(shopper, sale_order, "pay/")
    started = shopper.post(path + "pay/")
    shopper.post(started["Location"], {"answer": "confirmed"})
    sale_order.refresh_from_db()
    assert (sale_order.status, sale_order.city) == ("paid", "London")


def test_the_address_is_filled_in_from_the_default_one(
    shopper: Client, buyer: User, sale_order: Order
) -> None:
    addresses.add(user=buyer, parts={**ADDRESS, "line1": "1 High Street"})  # type: ignore[typeddict-item]
    assert 'value="1 High Street"' in page(shopper, sale_order, "pay/")


def test_a_free_slot_of_a_sale_is_confirmed_by_one_press(
    shopper: Client, buyer: User, slot: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(holds._holds, "sale", Held())
    order = make_order(slot, user=buyer, hold="sale", total=0, delivery=0, **NO_ADDRESS)
    assert "Confirm for free" in page(shopper, order, "pay/")
    shopper.post(f"/orders/{order.public_id}/pay/")
    assert "We sent a confirmation to a•••@example.com." in page(shopper, order)
    assert OutboxMail.objects.get().context["lines"][0]["place"] == "Town hall"


def test_the_deadline_is_said_with_its_zone_beside_a_silent_clock(shopper: Client, sale_order: Order) -> None:
    Order.objects.update(pay_by=datetime(2999, 11, 22, 10, 24, tzinfo=UTC))
    text = page(shopper, sale_order)
    assert "It is yours until 22 November, 10:24 UTC. Pay by then. Nothing you do changes this time." in text
    assert '<p class="clock" role="timer"' in text
    assert "aria-live" not in text.split('role="timer"')[1].split(">")[0]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"status": "paid", "paid_at": timezone.now()}, "We write again when it leaves the shop."),
        (
            {"status": "shipped", "shipped_at": JUNE},
            "It left the shop on 2 June 2026.",
        ),
        ({"status": "cancelled"}, "Nothing was charged."),
        ({"status": "expired"}, "What you chose is back on the shelf. Nothing was charged."),
        ({"status": "expired", "hold": "sale"}, "It went to the next person. Nothing was charged."),
    ],
)
def test_each_state_has_its_sentence(
    shopper: Client, buyer: User, lamp: Variant, fields: dict[str, Any], sentence: str
) -> None:
    assert sentence in page(shopper, make_order(lamp, user=buyer, **fields))


def test_late_money_is_told_on_the_page(shopper: Client, buyer: User, lamp: Variant) -> None:
    order = make_order(lamp, user=buyer, status="expired")
    order.payments.create(
        variant="dummy",
        currency="USD",
        total="53.90",
        status="confirmed",
        captured_amount="53.90",
        refund_next_try_at=timezone.now(),
    )
    assert "Your bank answered late. USD 53.90 is on its way back to you." in page(shopper, order)
    order.payments.update(status="refunded", captured_amount=0, refund_next_try_at=None)
    assert "Your bank answered late. USD 53.90 was sent back to you." in page(shopper, order)


def test_an_order_that_is_paid_has_no_pay_page(shopper: Client, buyer: User, lamp: Variant) -> None:
    order = make_order(lamp, user=buyer, status="paid")
    answer = shopper.get(f"/orders/{order.public_id}/pay/")
    assert answer["Location"] == f"/orders/{order.public_id}/"


def test_a_shopper_sees_his_own_orders_only(shopper: Client, buyer: User, rival: User, lamp: Variant) -> None:
    own, other = make_order(lamp, user=buyer), make_order(lamp, user=rival)
    text = shopper.get("/orders/").content.decode()
    assert (own.number in text, other.number in text) == (True, False)
    assert shopper.get(f"/orders/{other.public_id}/").status_code == 404


def test_a_guest_s_order_is_not_found_in_another_browser(guest: Client, lamp: Variant) -> None:
    put_into_cart(guest, lamp)
    order = check_out(guest)
    payment = guest.post(f"/orders/{order.public_id}/pay/")["Location"]
    assert guest.get(f"/orders/{order.public_id}/").status_code == 200
    assert Client().get(f"/orders/{order.public_id}/").status_code == 404
    assert Client().post(payment, {"answer": "confirmed"}).status_code == 404


def test_the_history_takes_as_many_queries_for_ten_orders_as_for_one(
    shopper: Client, buyer: User, lamp: Variant, django_assert_num_queries: Callable[[int], Any]
) -> None:
    for more in (1, 9):
        for _ in range(more):
            make_order(lamp, user=buyer)
        shopper.get("/orders/")
        with django_assert_num_queries(4):  # user, number of orders, orders, lines; the session is cached
            assert shopper.get("/orders/").status_code == 200


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(599.5, "09:59"), (60.5, "01:00"), (0.5, "00:00"), (-5, "00:00"), (3661.5, "01:01:01")],
)
def test_the_first_figure_of_the_clock(seconds: float, text: str) -> None:
    assert progress.clock(timezone.now() + timedelta(seconds=seconds)) == text


def test_a_refused_payment_is_named_in_the_title_and_the_order_says_whom_to_ask(
    shopper: Client, sale_order: Order
) -> None:
    payment = payments.start(order=sale_order, variant="dummy")
    Payment.objects.filter(pk=payment.pk).update(status="rejected")
    for page in (f"/orders/{sale_order.public_id}/", f"/orders/{sale_order.public_id}/pay/"):
        assert "<title>Error: " in shopper.get(page).content.decode()
    body = shopper.get(f"/orders/{sale_order.public_id}/").content.decode()
    assert "/help/#help-contact" in body
    assert "data-print" in body
