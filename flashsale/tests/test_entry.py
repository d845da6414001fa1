"""Entry to a sale: the checks, the pass, and nothing else."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from flashsale import entry
from flashsale.models import Sale, SaleItem
from flashsale.passes import PassError, Signer
from flashsale.tests.pages import address, change, enter, logged_in, right_letters, words

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uncounted")]
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


@pytest.fixture
def item(make_sale: Make) -> SaleItem:
    return make_sale()


def the_pass(client: Client) -> str:
    return client.cookies[django_settings.PASS_COOKIE].value


def entered(item: SaleItem) -> str:
    return f"{django_settings.ENTERED_COOKIE}-{item.sale_id}"


def test_a_guest_logs_in_first_and_comes_back(client: Client, item: SaleItem) -> None:
    response = client.get(address(item, "enter"))
    assert response.status_code == 302
    assert response["Location"] == f"/accounts/login/?next={address(item, 'enter')}"


def test_the_pass_is_for_this_shopper_and_this_sale(as_bea: Client, bea: User, item: SaleItem) -> None:
    assert enter(as_bea, item)["Location"] == address(item)
    user = Signer(django_settings.PASS_KEYS).verify(
        the_pass(as_bea).encode(), sale=item.sale_id, now=time.time()
    )
    assert user == bea.pk


def test_the_pass_is_a_cookie_that_only_this_sales_gate_receives(as_bea: Client, item: SaleItem) -> None:
    enter(as_bea, item)
    cookie = as_bea.cookies[django_settings.PASS_COOKIE]
    assert cookie["path"] == f"/gate/sales/{item.sale_id}/"
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Strict", "")


def test_in_production_the_pass_travels_encrypted_only(
    as_bea: Client, item: SaleItem, settings: Settings
) -> None:
    settings.SESSION_COOKIE_SECURE, settings.PASS_COOKIE = True, "__Secure-pass"
    enter(as_bea, item)
    assert as_bea.cookies["__Secure-pass"]["secure"] is True


def test_two_sales_are_entered_in_one_browser(as_bea: Client, item: SaleItem, make_sale: Make) -> None:
    other = make_sale()
    for one in (item, other):
        enter(as_bea, one)
    for one in (item, other):
        assert "You are in" in words(as_bea.get(address(one, "enter")))


def test_that_one_is_in_is_known_to_the_pages_of_this_sale_only(as_bea: Client, item: SaleItem) -> None:
    enter(as_bea, item)
    cookie = as_bea.cookies[entered(item)]
    assert cookie["path"] == address(item)
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", "")


def test_entering_writes_no_session(as_bea: Client, item: SaleItem) -> None:
    with CaptureQueriesContext(connection) as asked:
        enter(as_bea, item)
    assert [query["sql"] for query in asked if "django_session" in query["sql"]] == []


def test_who_logs_in_after_another_is_not_in(item: SaleItem, shoppers: Crowd) -> None:
    bea, rival = shoppers(2)
    client = logged_in(bea)
    enter(client, item)
    client.force_login(rival, backend="django.contrib.auth.backends.ModelBackend")
    assert "You may enter" in words(client.get(address(item, "enter")))


@pytest.mark.parametrize("spoilt", ["", "nonsense", "p.a.1.1.9999999999.forged"])
def test_what_the_shop_did_not_sign_lets_nobody_in(as_bea: Client, item: SaleItem, spoilt: str) -> None:
    as_bea.cookies[entered(item)] = spoilt
    assert "You may enter" in words(as_bea.get(address(item, "enter")))


def test_a_pass_lives_an_hour_longer_than_its_sale_but_no_longer_than_a_day() -> None:
    now = datetime(2026, 6, 12, 8, 0, tzinfo=UTC)
    short, long = Sale(closes_at=now + timedelta(hours=2)), Sale(closes_at=now + timedelta(days=3))
    assert entry.expires_at(sale=short, now=now) == now + timedelta(hours=3)
    assert entry.expires_at(sale=long, now=now) == now + timedelta(hours=24)


def test_looking_lets_nobody_in(as_bea: Client, item: SaleItem) -> None:
    assert as_bea.get(address(item, "enter")).status_code == 200
    assert django_settings.PASS_COOKIE not in as_bea.cookies
    assert entered(item) not in as_bea.cookies


def test_what_the_pages_know_ends_with_the_pass(as_bea: Client, bea: User, item: SaleItem) -> None:
    over = int(time.time()) - 1
    issued = Signer(django_settings.PASS_KEYS).issue(sale=item.sale_id, user=bea.pk, expires_at=over)
    as_bea.cookies[entered(item)] = issued
    assert "Enter the sale" in words(as_bea.get(address(item)))


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ({"min_level": 3}, "This sale is for shoppers of level 3 or higher. Your level is 0."),
        ({"min_account_days": 30}, "This sale is for accounts older than 30 days."),
        ({"whitelist_only": True}, "is not on it."),
    ],
)
def test_who_may_not_enter_gets_a_page_with_his_own_reason(
    as_bea: Client, item: SaleItem, rule: dict[str, object], sentence: str
) -> None:
    change(item.sale, **rule)
    for response in (as_bea.get(address(item, "enter")), enter(as_bea, item)):
        assert response.status_code == 403
        assert sentence in words(response)
        assert "field-error" not in response.content.decode()
    assert django_settings.PASS_COOKIE not in as_bea.cookies


def test_nobody_enters_a_draft(as_bea: Client, make_sale: Make) -> None:
    draft = make_sale(scheduled=False)
    assert enter(as_bea, draft).status_code == 404
    assert as_bea.get(address(draft)).status_code == 404


def test_nobody_enters_a_sale_that_has_ended(as_bea: Client, item: SaleItem) -> None:
    past = timezone.now() - timedelta(hours=1)
    change(item.sale, opens_at=past - timedelta(hours=1), closes_at=past)
    assert enter(as_bea, item)["Location"] == address(item)
    assert django_settings.PASS_COOKIE not in as_bea.cookies


def test_a_sale_is_entered_before_it_opens(as_bea: Client, make_sale: Make) -> None:
    item = make_sale(opens_at=timezone.now() + timedelta(minutes=10))
    enter(as_bea, item)
    assert the_pass(as_bea).startswith("p.")


def test_the_right_letters_open_the_door(as_bea: Client, item: SaleItem) -> None:
    change(item.sale, captcha=True)
    assert enter(as_bea, item, **right_letters(as_bea, item)).status_code == 302
    assert the_pass(as_bea)


def test_one_solution_lets_one_session_in(item: SaleItem, shoppers: Crowd) -> None:
    change(item.sale, captcha=True)
    bots = [logged_in(user) for user in shoppers(5)]
    solution = right_letters(bots[0], item)
    answers = [enter(bot, item, **solution).status_code for bot in bots]
    assert answers == [302, 200, 200, 200, 200]


def test_who_is_in_takes_a_new_pass_without_a_new_check(as_bea: Client, item: SaleItem) -> None:
    enter(as_bea, item)
    change(item.sale, captcha=True)
    assert "You are in" in words(as_bea.get(address(item, "enter")))
    del as_bea.cookies[django_settings.PASS_COOKIE]
    enter(as_bea, item)
    assert the_pass(as_bea)


@pytest.mark.parametrize(
    ("wanted", "where"),
    [("/account/", "/account/"), ("https://evil.example/", None), ("//evil.example", None)],
)
def test_the_way_back_stays_in_the_shop(
    as_bea: Client, item: SaleItem, wanted: str, where: str | None
) -> None:
    response = as_bea.post(address(item, "enter"), {"next": wanted})
    assert response["Location"] == (where or address(item))


def test_an_account_that_tries_too_often_waits(as_bea: Client, item: SaleItem) -> None:
    change(item.sale, question="Which wood?", answers="Oak")
    answers = [enter(as_bea, item, answer="beech").status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]
    response = enter(as_bea, item, answer="oak")
    assert response.status_code == 429
    assert 1 <= int(response["Retry-After"]) <= 300


def test_a_network_that_tries_too_often_waits(item: SaleItem, shoppers: Crowd) -> None:
    change(item.sale, question="Which wood?", answers="Oak")
    clients = [logged_in(user) for user in shoppers(7)]
    answers = [enter(client, item, answer="beech").status_code for client in clients for _ in range(9)]
    assert answers == [200] * 60 + [429] * 3


def test_a_pass_of_another_sale_is_refused_by_the_signer(
    as_bea: Client, item: SaleItem, make_sale: Make
) -> None:
    enter(as_bea, item)
    with pytest.raises(PassError, match="other sale"):
        Signer(django_settings.PASS_KEYS).verify(
            the_pass(as_bea).encode(), sale=make_sale().sale_id, now=time.time()
        )
