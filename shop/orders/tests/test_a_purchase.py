"""A whole purchase through the pages, as a guest and as a shopper."""

from django.test import Client

from accounts.models import User
from shop.catalogue.models import Variant
from shop.orders.models import Order, OutboxMail
from shop.orders.tests.conftest import check_out, put_into_cart


def test_a_guest_buys_a_lamp(guest: Client, lamp: Variant) -> None:
    put_into_cart(guest, lamp, 2)
    assert guest.get("/cart/").context["sums"].total == 2 * 4900 + 490

    order = check_out(guest)
    page = guest.get(f"/orders/{order.public_id}/pay/")
    started = guest.post(f"/orders/{order.public_id}/pay/")
    bank = guest.get(started["Location"])
    paid = guest.post(started["Location"], {"answer": "confirmed"})

    assert page.status_code == bank.status_code == 200
    assert paid["Location"] == f"/orders/{order.public_id}/"
    order.refresh_from_db()
    lamp.refresh_from_db()
    assert (order.status, order.total, order.line1, lamp.stock) == ("paid", 10290, "12 Mill Lane", 3)
    assert guest.get(paid["Location"]).status_code == 200
    assert list(OutboxMail.objects.order_by("pk").values_list("kind", "to")) == [
        ("received", "ada@example.com"),
        ("paid", "ada@example.com"),
    ]


def test_a_shopper_buys_and_finds_the_order_in_the_history(
    client: Client, buyer: User, book: Variant
) -> None:
    client.force_login(buyer)
    put_into_cart(client, book)
    order = check_out(client)
    assert (order.user, order.email, order.total, order.line1) == (buyer, "buyer@example.com", 1200, "")
    assert order.number in client.get("/orders/").content.decode()


def test_a_free_slot_is_confirmed_without_payment(guest: Client, slot: Variant) -> None:
    put_into_cart(guest, slot)
    order = check_out(guest)
    assert (order.status, order.total, order.payments.count()) == (Order.Status.PAID, 0, 0)
    assert list(OutboxMail.objects.values_list("kind", flat=True)) == ["paid"]


def test_a_refused_payment_leaves_the_order_payable(guest: Client, lamp: Variant) -> None:
    put_into_cart(guest, lamp)
    order = check_out(guest)
    started = guest.post(f"/orders/{order.public_id}/pay/")
    guest.get(started["Location"])
    refused = guest.post(started["Location"], {"answer": "rejected"})
    page = guest.get(refused["Location"])
    assert "The bank did not accept the payment. It is still yours until" in page.content.decode()
    again = guest.post(f"/orders/{order.public_id}/pay/")
    assert again["Location"] != started["Location"]
    guest.post(again["Location"], {"answer": "confirmed"})
    order.refresh_from_db()
    assert order.status == Order.Status.PAID
