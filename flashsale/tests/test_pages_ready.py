"""Getting ready: what is done before the time runs, so that paying is one press."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Address, User
from flashsale.models import SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers, win
from flashsale.tests.pages import address, change, enter, logged_in, words

pytestmark = pytest.mark.django_db(transaction=True)
PARTS = {"full_name": "Ann Smith", "country": "GB", "line1": "1 Mill Lane", "postcode": "SW1A 1AA"}


def give_address(user: User) -> Address:
    return Address.objects.create(user=user, is_default=True, city="London", line2="", **PARTS)


def coming(make_sale: MakeSale) -> SaleItem:
    return make_sale(opens_at=timezone.now() + timedelta(minutes=20))


def test_a_guest_begins_with_the_login_and_comes_back(client: Client, make_sale: MakeSale) -> None:
    item = coming(make_sale)
    response = client.get(address(item, "ready"))
    assert "1 of 4 done. With all 4 done, paying is one press." in words(response)
    assert f"/accounts/login/?next={address(item, 'ready')}" in response.content.decode()


def test_the_list_counts_what_is_done_and_names_what_is_open(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = coming(make_sale), shoppers(1)
    client = logged_in(ann)
    assert "2 of 4 done." in words(client.get(address(item, "ready")))
    response = client.post(
        f"/accounts/addresses/add/?next={address(item, 'ready')}", PARTS | {"city": "London"}
    )
    assert response["Location"] == address(item, "ready")
    text = words(client.get(address(item, "ready")))
    assert "3 of 4 done." in text
    assert "1 Mill Lane" in text
    response = client.post(address(item, "enter"), {"next": address(item, "ready")})
    assert response["Location"] == address(item, "ready")
    assert "4 of 4 done. Paying is one press now." in words(client.get(address(item, "ready")))


def test_the_whole_price_and_the_time_to_pay_are_told_before(make_sale: MakeSale) -> None:
    text = words(Client().get(address(coming(make_sale), "ready")))
    assert "USD 53.90 in all: tax is included, and USD 4.90 for the delivery" in text
    assert "10 minutes from the moment one is yours." in text


def test_no_address_is_asked_for_what_is_collected(make_sale: MakeSale) -> None:
    item = coming(make_sale)
    item.variant.product.kind = "collected"
    item.variant.product.save()
    text = words(Client().get(address(item, "ready")))
    assert "2 of 4 done." in text
    assert "No address is asked for what is in this sale." in text


def test_who_may_not_enter_reads_why_and_is_not_sent_to_the_check(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = coming(make_sale), shoppers(1)
    change(item.sale, min_level=5)
    response = logged_in(ann).get(address(item, "ready"))
    assert "Your level is 1." in words(response) or "Your level is 0." in words(response)
    assert address(item, "enter") not in response.content.decode()


def test_a_foreign_address_to_come_back_to_is_ignored(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    (ann,) = shoppers(1)
    sent = logged_in(ann).post(
        "/accounts/addresses/add/?next=https://evil.example/", PARTS | {"city": "London"}
    )
    assert sent["Location"] == "/accounts/addresses/"


def test_whoever_is_ready_pays_with_one_press(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    give_address(ann)
    client = logged_in(ann)
    enter(client, item)
    (rid,) = win(item, ann)
    body = client.get(f"/sales/reservations/{rid}/").content.decode()
    main = body.partition("<main")[2].partition("</main>")[0]
    visible = [part for part in main.split("<input")[1:] if 'type="hidden"' not in part.partition(">")[0]]
    assert visible == []
    assert "Pay USD 53.90" in main
