"""Addresses: owner only, one default, nothing lost on a mistake."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import addresses
from accounts.models import Address, User
from accounts.tests.conftest import HOME

OFFICE = {**HOME, "line1": "1 Foundry Yard", "postcode": "m1 1ae", "city": "Manchester"}


def test_the_first_address_becomes_the_default(as_buyer: Client, buyer: User) -> None:
    response = as_buyer.post(reverse("address-add"), HOME)
    assert response["Location"] == reverse("addresses")
    address = buyer.addresses.get()
    assert (address.line1, address.is_default) == ("12 Mill Lane", True)


def test_a_second_one_made_the_default_takes_it_from_the_first(
    as_buyer: Client, buyer: User, home: Address
) -> None:
    as_buyer.post(reverse("address-add"), {**OFFICE, "make_default": "on"})
    assert [a.line1 for a in buyer.addresses.filter(is_default=True)] == ["1 Foundry Yard"]
    assert buyer.addresses.get(line1="1 Foundry Yard").postcode == "M1 1AE"


def test_the_default_stays_the_default_when_it_is_changed(
    as_buyer: Client, buyer: User, home: Address
) -> None:
    as_buyer.post(reverse("address-edit", args=[home.pk]), OFFICE)
    home.refresh_from_db()
    assert (home.line1, home.is_default) == ("1 Foundry Yard", True)


def test_deleting_the_default_passes_it_to_the_oldest_of_the_others(
    as_buyer: Client, buyer: User, home: Address
) -> None:
    other = addresses.add(user=buyer, parts=HOME)
    addresses.add(user=buyer, parts=HOME)
    as_buyer.post(reverse("address-delete", args=[home.pk]))
    assert [a.pk for a in buyer.addresses.filter(is_default=True)] == [other.pk]
    assert buyer.addresses.count() == 2


def test_a_mistake_is_named_and_nothing_typed_is_lost(as_buyer: Client, buyer: User) -> None:
    response = as_buyer.post(reverse("address-add"), {**HOME, "postcode": "", "city": ""})
    page = response.content.decode()
    assert response.status_code == 200
    assert "Enter a postcode, for example SW1A 1AA." in page
    assert "Enter a city." in page
    assert 'value="12 Mill Lane"' in page
    assert not buyer.addresses.exists()


def test_a_country_without_postcodes_asks_for_none(as_buyer: Client, buyer: User) -> None:
    as_buyer.post(reverse("address-add"), {**HOME, "country": "HK", "postcode": ""})
    assert buyer.addresses.get().country == "HK"


@pytest.mark.parametrize("field", ["country", "name", "address-line1", "postal-code", "address-level2"])
def test_browsers_can_fill_in_every_field(as_buyer: Client, field: str) -> None:
    assert f'autocomplete="{field}"' in as_buyer.get(reverse("address-add")).content.decode()


@pytest.mark.parametrize("name", ["address-edit", "address-delete"])
def test_a_rival_sees_and_changes_nothing(as_rival: Client, home: Address, name: str) -> None:
    url = reverse(name, args=[home.pk])
    assert as_rival.get(url).status_code == 404
    assert as_rival.post(url, OFFICE).status_code == 404
    home.refresh_from_db()
    assert home.line1 == "12 Mill Lane"


def test_a_rivals_list_does_not_show_the_buyers_address(as_rival: Client, home: Address) -> None:
    assert "12 Mill Lane" not in as_rival.get(reverse("addresses")).content.decode()


@pytest.mark.parametrize("name", ["account", "addresses", "address-add"])
def test_a_stranger_is_asked_to_log_in_and_comes_back(client: Client, db: None, name: str) -> None:
    url = reverse(name)
    assert client.get(url)["Location"] == f"{reverse('account_login')}?next={url}"


@pytest.mark.parametrize("name", ["address-edit", "address-delete"])
def test_a_stranger_is_asked_to_log_in_before_an_address(client: Client, home: Address, name: str) -> None:
    url = reverse(name, args=[home.pk])
    assert client.post(url, OFFICE)["Location"] == f"{reverse('account_login')}?next={url}"
    home.refresh_from_db()
    assert home.line1 == "12 Mill Lane"


def _add_default(user: User) -> None:
    try:
        addresses.add(user=user, parts=HOME, make_default=True)
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_eight_tabs_at_once_leave_one_default(buyer: User) -> None:
    with ThreadPoolExecutor(8) as tabs:
        list(tabs.map(_add_default, [buyer] * 8))
    assert buyer.addresses.count() == 8
    assert buyer.addresses.filter(is_default=True).count() == 1
