"""The cart of a guest, of a shopper, and of a guest who becomes one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from shop.catalogue.models import Product, Variant
from shop.orders.models import Cart, CartLine
from shop.orders.tests.conftest import put_into_cart

PASSWORD = "correct horse battery"


def log_in(client: Client, user: User) -> None:
    answer = client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert answer.status_code == 302


def in_cart() -> list[tuple[str, int]]:
    return list(CartLine.objects.order_by("variant__sku").values_list("variant__sku", "quantity"))


def test_adding_twice_adds_up(guest: Client, lamp: Variant) -> None:
    put_into_cart(guest, lamp, 2)
    put_into_cart(guest, lamp)
    assert in_cart() == [("LAMP", 3)]


def test_the_header_counts_what_is_in_the_cart(guest: Client, lamp: Variant, book: Variant) -> None:
    put_into_cart(guest, lamp, 2)
    put_into_cart(guest, book)
    assert guest.get("/cart/").context["cart_count"] == 3
    guest.post("/cart/remove/", {"variant": lamp.pk})
    assert guest.get("/cart/").context["cart_count"] == 1


def test_more_than_there_are_cannot_be_put_in(guest: Client, lamp: Variant) -> None:
    answer = guest.post("/cart/add/", {"variant": lamp.pk, "quantity": 6}, follow=True)
    assert "Only 5 of “Lamp” are left." in answer.content.decode()
    assert in_cart() == []


def test_a_quantity_is_set_and_zero_takes_the_line_out(guest: Client, lamp: Variant) -> None:
    put_into_cart(guest, lamp)
    guest.post("/cart/update/", {"variant": lamp.pk, "quantity": 4})
    assert in_cart() == [("LAMP", 4)]
    guest.post("/cart/update/", {"variant": lamp.pk, "quantity": 0})
    assert in_cart() == []


@pytest.mark.parametrize(
    ("quantity", "sentence"),
    [
        ("many", "Enter the quantity as a whole number."),
        ("", "Enter the quantity as a whole number."),
        ("-1", "Enter a quantity of 0 or more."),
        ("100", "Enter a quantity of at most 99."),
        ("9" * 30, "Enter a quantity of at most 99."),
    ],
)
def test_a_quantity_that_is_none_is_refused_in_words(
    guest: Client, lamp: Variant, quantity: str, sentence: str
) -> None:
    put_into_cart(guest, lamp, 2)
    answer = guest.post("/cart/update/", {"variant": lamp.pk, "quantity": quantity}, follow=True)
    assert sentence in answer.content.decode()
    assert in_cart() == [("LAMP", 2)]


@pytest.mark.parametrize("variant", ["", "lamp", "0", "999999", "9" * 30])
def test_what_does_not_exist_cannot_be_put_in(guest: Client, db: None, variant: str) -> None:
    assert guest.post("/cart/add/", {"variant": variant, "quantity": 1}).status_code == 404
    assert guest.post("/cart/remove/", {"variant": variant}).status_code == 302
    assert Cart.objects.count() == 0


def test_what_is_not_published_is_not_sold(guest: Client, lamp: Variant, book: Variant) -> None:
    put_into_cart(guest, lamp)
    Product.objects.filter(pk__in=[lamp.product_id, book.product_id]).update(published=False)
    assert guest.post("/cart/add/", {"variant": book.pk, "quantity": 1}).status_code == 404
    assert guest.get("/cart/").context["lines"] == []


def test_a_guest_s_cart_is_merged_after_login(
    guest: Client, buyer: User, lamp: Variant, book: Variant
) -> None:
    at_home = Client()
    at_home.force_login(buyer)
    put_into_cart(at_home, lamp)
    put_into_cart(guest, lamp, 2)
    put_into_cart(guest, book)
    log_in(guest, buyer)
    assert guest.get("/cart/").context["cart_count"] == 4
    assert in_cart() == [("BOOK", 1), ("LAMP", 3)]
    assert Cart.objects.get().user == buyer


def test_merging_happens_once(guest: Client, buyer: User, lamp: Variant) -> None:
    put_into_cart(guest, lamp)
    log_in(guest, buyer)
    for _ in range(3):
        guest.get("/cart/")
    assert in_cart() == [("LAMP", 1)]


def test_looking_at_the_shop_makes_no_cart_and_no_session(guest: Client, lamp: Variant) -> None:
    guest.get("/cart/")
    guest.get(f"/catalogue/{lamp.product_id}/", follow=True)
    assert (Cart.objects.count(), "sessionid" in guest.cookies) == (0, False)


def test_a_cart_of_three_takes_as_many_queries_as_a_cart_of_one(
    guest: Client,
    lamp: Variant,
    book: Variant,
    slot: Variant,
    django_assert_num_queries: Callable[[int], Any],
) -> None:
    for variants in ([lamp], [book, slot]):
        for variant in variants:
            put_into_cart(guest, variant)
        guest.get("/cart/")
        with django_assert_num_queries(4):  # cart, lines, pictures, and the number for the header
            assert guest.get("/cart/").status_code == 200
