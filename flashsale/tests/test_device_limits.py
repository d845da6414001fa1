"""Many accounts in one browser are slowed at the entry, from whatever network; a household is not."""

import re
import time

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse
from time_machine import travel

from accounts import devices
from accounts.models import User
from flashsale.models import SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.pages import address, change
from flashsale.tests.test_network_limits import refused

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uncounted")]
PASSWORD = "a long enough password"
BACKEND = "django.contrib.auth.backends.ModelBackend"
AT_MOST = 30


@pytest.fixture
def item(make_sale: MakeSale) -> SaleItem:
    return make_sale()


@pytest.fixture
def household(shoppers: MakeShoppers) -> list[User]:
    """Three shoppers who can log in."""
    people = shoppers(3)
    for one in people:
        one.password = make_password(PASSWORD)
    User.objects.bulk_update(people, ["password"])
    return people


def log_in(browser: Client, user: User) -> str:
    """Log in as people do, whoever was logged in before; return the browser's mark."""
    browser.post(reverse("account_logout"))
    told = browser.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    assert told.status_code == 302
    return devices.mark(request_of(browser))


def request_of(browser: Client) -> HttpRequest:
    """Return what the shop gets to see of a browser."""
    request = RequestFactory().get("/")
    request.COOKIES[devices.COOKIE] = browser.cookies[devices.COOKIE].value
    return request


def enter_all(
    browser: Client, item: SaleItem, accounts: list[User], *, cookie: str | None = None
) -> list[bool]:
    """Enter with one account after the other and tell who got a pass; 429 is all that the others may get.

    Each comes from a network of its own. With a `cookie` all come from one, and show it in place of the mark.
    """
    passed = []
    for number, user in enumerate(accounts):
        browser.force_login(user, BACKEND)
        if cookie is not None:
            browser.cookies[devices.COOKIE] = cookie
        network = f"10.{number // 250}.{number % 250}.1" if cookie is None else "192.0.2.7"
        told = browser.post(address(item, "enter"), REMOTE_ADDR=network)
        assert told.status_code == 429 or settings.PASS_COOKIE in told.cookies
        passed.append(told.status_code != 429)
    return passed


def test_the_mark_of_a_browser_outlives_logins(household: list[User]) -> None:
    browser = Client()
    marks = {log_in(browser, user) for user in household * 2}
    assert len(marks) == 1
    for user in household:
        assert {devices.known(request_of(browser), email=user.email.upper())} == marks
    assert log_in(Client(), household[0]) not in marks


def test_it_is_a_cookie_that_names_nobody(household: list[User]) -> None:
    browser = Client()
    log_in(browser, household[0])
    cookie = browser.cookies[devices.COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["max-age"] == 365 * 86_400
    own, (code,) = devices.shown(request_of(browser))
    assert re.fullmatch(r"[\w-]{16}", own)
    assert re.fullmatch(r"[0-9a-f]{16}", code)


def test_it_is_given_by_logins_and_entries_only(item: SaleItem, household: list[User]) -> None:
    browser = Client()
    for page in ("/", address(item), address(item, "enter"), "/readyz"):
        browser.get(page)
    assert devices.COOKIE not in browser.cookies
    browser.force_login(household[0], BACKEND)
    browser.get(address(item, "enter"))
    assert devices.COOKIE not in browser.cookies
    browser.post(address(item, "enter"))
    assert devices.COOKIE in browser.cookies
    assert devices.COOKIE not in browser.post(address(item, "enter")).cookies, "it has one"


def test_many_accounts_of_one_browser_enter_thirty_in_five_minutes(
    item: SaleItem, household: list[User], shoppers: MakeShoppers
) -> None:
    browser, before = Client(), refused("sale entry device")
    log_in(browser, household[0])
    crowd = shoppers(100)
    with travel(time.time(), tick=False) as clock:
        first = enter_all(browser, item, crowd)
        clock.shift(300)
        second = enter_all(browser, item, crowd[AT_MOST:])
    assert first == [True] * AT_MOST + [False] * 70
    assert second == [True] * AT_MOST + [False] * 40
    assert refused("sale entry device") - before == 110
    told = Client().get("/metrics").content.decode()
    assert re.search(r'^shop_limited_total\{limit="sale entry device"\} [1-9]', told, re.MULTILINE)


@pytest.mark.parametrize("cookie", ["", "forged", "a:b:c"])
def test_whoever_brings_no_mark_is_one_device_with_his_network(
    item: SaleItem, shoppers: MakeShoppers, cookie: str
) -> None:
    with travel(time.time(), tick=False):
        passed = enter_all(Client(), item, shoppers(50), cookie=cookie)
    assert passed == [True] * AT_MOST + [False] * 20


def test_three_people_at_one_browser_have_all_their_tries(item: SaleItem, household: list[User]) -> None:
    change(item.sale, question="Which wood?", answers="Oak")
    browser, before = Client(), refused("sale entry device")
    with travel(time.time(), tick=False):
        for user in household:
            log_in(browser, user)
            said = [*["beech"] * 9, "oak"]
            answers = [browser.post(address(item, "enter"), {"answer": one}).status_code for one in said]
            assert answers == [200] * 9 + [302]
    assert refused("sale entry device") == before
    assert browser.cookies[settings.PASS_COOKIE].value


def test_control_without_the_limit_they_would_all_enter_at_once(
    item: SaleItem, shoppers: MakeShoppers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.devices.mark", lambda request: str(request.user.pk))
    with travel(time.time(), tick=False):
        assert all(enter_all(Client(), item, shoppers(50)))


@pytest.mark.parametrize("way", ["new", "link", "else"])
def test_naming_a_way_gives_no_more_tries(item: SaleItem, household: list[User], way: str) -> None:
    browser = Client()
    browser.force_login(household[0], BACKEND)
    told = [browser.post(address(item, "enter"), {"way": way}) for _ in range(11)]
    assert [settings.PASS_COOKIE in one.cookies for one in told] == [True] * 10 + [False]
    assert told[-1].status_code == 429
