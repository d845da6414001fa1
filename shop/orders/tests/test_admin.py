"""What staff see of orders and mail, and what their buttons do."""

import pytest
from django.test import Client

from accounts.models import User
from shop.catalogue.models import Variant
from shop.orders.models import Order, OutboxMail
from shop.orders.tests.conftest import make_order


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("staff@example.com", "correct horse battery"))
    return client


def press(staff: Client, action: str, *rows: Order | OutboxMail) -> str:
    path = "/admin/orders/order/" if action != "send_again" else "/admin/orders/outboxmail/"
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return staff.post(path, data, follow=True).content.decode()


def test_a_paid_order_is_marked_as_shipped_and_its_shopper_told(staff: Client, lamp: Variant) -> None:
    order = make_order(lamp, status="paid")
    assert "1 order is marked as shipped." in press(staff, "mark_shipped", order)
    order.refresh_from_db()
    assert (order.status, order.shipped_at is None) == ("shipped", False)
    assert OutboxMail.objects.get().kind == "shipped"


def test_an_unpaid_order_is_not_shipped(staff: Client, lamp: Variant) -> None:
    order = make_order(lamp)
    assert "only a paid order can be shipped" in press(staff, "mark_shipped", order)
    order.refresh_from_db()
    assert (order.status, OutboxMail.objects.count()) == ("awaiting_payment", 0)


def test_cancelling_gives_the_units_back_and_skips_what_is_paid(staff: Client, lamp: Variant) -> None:
    waiting, paid = make_order(lamp, quantity=2), make_order(lamp, status="paid")
    answer = press(staff, "cancel", waiting, paid)
    lamp.refresh_from_db()
    assert "1 order is cancelled." in answer
    assert "This order is paid." in answer
    assert lamp.stock == 7


def test_a_parked_mail_is_seen_and_sent_again(staff: Client, lamp: Variant) -> None:
    order = make_order(lamp)
    mail = OutboxMail.objects.create(
        ref="r",
        kind="paid",
        to="a@example.com",
        status="parked",
        next_try_at=order.created_at,
        error="550 no",
    )
    assert "550 no" in staff.get("/admin/orders/outboxmail/?status__exact=parked").content.decode()
    assert "1 mail is sent again." in press(staff, "send_again", mail)
    mail.refresh_from_db()
    assert (mail.status, mail.error) == ("pending", "")


def test_an_order_is_read_with_lines_and_payments_and_not_edited(staff: Client, lamp: Variant) -> None:
    order = make_order(lamp)
    order.payments.create(variant="dummy", currency="USD", total=53.90, message="said the bank")
    page = staff.get(f"/admin/orders/order/{order.pk}/change/").content.decode()
    assert order.number in page
    assert "said the bank" in page
    assert 'name="status"' not in page
    assert staff.get("/admin/orders/order/add/").status_code == 403
