"""Orders that end unpaid: cancelled or expired, their units back once."""

from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from shop.catalogue.models import Variant
from shop.orders import endings, tasks
from shop.orders.models import Order, OutboxMail
from shop.orders.tests.conftest import check_out, make_order, put_into_cart
from shop.orders.tests.threads import at_once


def past() -> dict[str, Any]:
    return {"pay_by": timezone.now() - timedelta(seconds=1)}


def test_an_order_that_is_not_paid_in_time_expires_and_gives_back_its_units(lamp: Variant) -> None:
    order = make_order(lamp, quantity=2, **past())
    tasks.expire_unpaid_orders()
    tasks.expire_unpaid_orders()
    order.refresh_from_db()
    lamp.refresh_from_db()
    assert (order.status, lamp.stock) == ("expired", 7)
    assert [mail.kind for mail in OutboxMail.objects.all()] == ["expired"]


def test_what_is_paid_or_not_due_or_a_sale_s_does_not_expire(lamp: Variant) -> None:
    make_order(lamp)
    make_order(lamp, status="paid", **past())
    make_order(lamp, hold="sale", **past())
    assert endings.expire_due() == 0
    assert not Order.objects.filter(status="expired").exists()


@pytest.mark.django_db(transaction=True)
def test_four_sweeps_at_once_give_each_unit_back_once(lamp: Variant) -> None:
    for _ in range(10):
        make_order(lamp, **past())
    assert sum(at_once([endings.expire_due] * 4)) == 10
    lamp.refresh_from_db()
    assert lamp.stock == 15


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_units_come_back_more_than_once(
    lamp: Variant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: sweeps that read and then write, each believing that it was the first."""

    order = make_order(lamp, **past())
    both_have_read = Barrier(2)

    def expire() -> None:
        found = Order.objects.get(pk=order.pk)
        both_have_read.wait(timeout=10)
        if found.status == "awaiting_payment":
            with transaction.atomic():
                endings._end(found, status="expired", kind="expired")

    at_once([expire, expire])
    lamp.refresh_from_db()
    assert lamp.stock == 7


def test_the_shopper_cancels_before_paying(guest: Client, lamp: Variant) -> None:
    put_into_cart(guest, lamp, 2)
    order = check_out(guest)
    page = guest.post(f"/orders/{order.public_id}/cancel/", follow=True).content.decode()
    lamp.refresh_from_db()
    assert "is cancelled. Nothing was charged." in page
    assert lamp.stock == 5


def test_a_paid_order_is_not_cancelled(guest: Client, lamp: Variant) -> None:
    put_into_cart(guest, lamp)
    order = check_out(guest)
    Order.objects.update(status="paid")
    page = guest.post(f"/orders/{order.public_id}/cancel/", follow=True).content.decode()
    lamp.refresh_from_db()
    assert "This order is paid." in page
    assert lamp.stock == 4


def test_somebody_else_s_order_is_neither_seen_nor_cancelled_nor_paid(lamp: Variant) -> None:
    order = make_order(lamp)
    stranger, base = Client(), f"/orders/{order.public_id}/"
    assert [stranger.get(base).status_code, stranger.get(base + "pay/").status_code] == [404, 404]
    posts = [stranger.post(base + name).status_code for name in ("cancel/", "pay/", "address/")]
    assert posts == [404, 404, 404]
    order.refresh_from_db()
    assert order.status == "awaiting_payment"
