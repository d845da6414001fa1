"""The limiter: whom it counts, what it answers, and that it never closes the shop."""

import re
from collections import Counter

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from pytest_django import Settings

from accounts import devices
from accounts.limits import REFUSED, client_address, limited
from accounts.models import User
from accounts.tests.conftest import PASSWORD
from shop.settings import networks

WRONG = {"login": "buyer@example.com", "password": "wrong-wrong-wrong"}


@limited(group="test", key="ip", rate="2/1h")
def _page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


def _asked(peer: str, forwarded: str = "") -> HttpRequest:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    return RequestFactory().post("/", REMOTE_ADDR=peer, headers=headers)


def test_past_the_rate_the_answer_is_429_with_the_time_to_wait(rf: RequestFactory) -> None:
    answers = [_page(_asked("192.0.2.1")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 3600
    assert b"You can try again at" in answers[2].getvalue()


def test_another_address_is_counted_by_itself() -> None:
    for _ in range(3):
        _page(_asked("192.0.2.1"))
    assert _page(_asked("192.0.2.2")).status_code == 200


def test_other_methods_are_not_counted(rf: RequestFactory) -> None:
    assert [_page(rf.get("/")).status_code for _ in range(5)] == [200] * 5


def test_neighbours_in_one_ipv6_network_count_as_one() -> None:
    for _ in range(2):
        _page(_asked("2001:db8::1"))
    assert _page(_asked("2001:db8::2")).status_code == 429


def test_guessing_a_password_is_stopped_per_account(client: Client, buyer: User) -> None:
    url = reverse("account_login")
    answers = [client.post(url, WRONG, REMOTE_ADDR=f"192.0.2.{n}").status_code for n in range(11)]
    assert answers == [200] * 10 + [429]
    refused = client.post(url, {**WRONG, "password": PASSWORD})
    assert refused.status_code == 429
    assert "_auth_user_id" not in client.session


def test_guesses_of_a_stranger_do_not_lock_the_owner_out_of_a_known_browser(
    client: Client, buyer: User
) -> None:
    url = reverse("account_login")
    right = {**WRONG, "password": PASSWORD}
    assert client.post(url, right).status_code == 302
    client.post(reverse("account_logout"))
    stranger = Client()
    answers = [stranger.post(url, WRONG, REMOTE_ADDR="192.0.2.1").status_code for _ in range(11)]
    assert answers[-1] == 429
    assert stranger.post(url, right, REMOTE_ADDR="192.0.2.2").status_code == 429
    assert client.post(url, right).status_code == 302


def test_a_known_browser_guesses_no_more_often_than_others(client: Client, buyer: User) -> None:
    url = reverse("account_login")
    client.post(url, {**WRONG, "password": PASSWORD})
    client.post(reverse("account_logout"))
    answers = [client.post(url, WRONG).status_code for _ in range(11)]
    assert answers == [200] * 10 + [429]


@pytest.mark.parametrize("cookie", ["", "nonsense", "a:b:c"])
def test_a_forged_device_is_a_stranger(rf: RequestFactory, cookie: str) -> None:
    request = rf.get("/")
    request.COOKIES[devices.COOKIE] = cookie
    assert devices.known(request, email="buyer@example.com") == ""


def test_a_device_is_known_for_its_own_account_only(rf: RequestFactory) -> None:
    response = HttpResponse()
    request = rf.get("/")
    devices.remember(request, response, email="rival@example.com")
    request.COOKIES[devices.COOKIE] = response.cookies[devices.COOKIE].value
    assert devices.known(request, email="buyer@example.com") == ""
    assert devices.known(request, email="Rival@example.com") != ""


def test_the_admin_counts_guesses_together_with_the_shop(client: Client, buyer: User) -> None:
    for _ in range(9):
        client.post(reverse("account_login"), WRONG)
    url = reverse("admin:login")
    form = {"username": "buyer@example.com", "password": "wrong-wrong-wrong"}
    assert [client.post(url, form).status_code for _ in range(2)] == [200, 429]


def test_guessing_accounts_is_stopped_per_address(client: Client, buyer: User) -> None:
    url = reverse("account_login")
    answers = [client.post(url, {**WRONG, "login": f"{n}@example.com"}).status_code for n in range(31)]
    assert answers == [200] * 30 + [429]


@pytest.mark.parametrize(
    ("name", "allowed", "form"),
    [
        ("account_signup", 20, {"email": "", "password1": ""}),
        ("account_reset_password", 5, {"email": "buyer@example.com"}),
    ],
)
def test_signing_up_and_resetting_are_limited(
    client: Client, buyer: User, name: str, allowed: int, form: dict[str, str]
) -> None:
    answers = [client.post(reverse(name), form).status_code for _ in range(allowed + 1)]
    assert 429 not in answers[:-1]
    assert answers[-1] == 429


def test_without_the_cache_people_still_log_in(client: Client, buyer: User, settings: Settings) -> None:
    settings.CACHES = {
        **settings.CACHES,
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"},
    }
    response = client.post(reverse("account_login"), {"login": buyer.email, "password": PASSWORD})
    assert response.status_code == 302
    assert client.get(reverse("account")).status_code == 200


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "203.0.113.7, not an address", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "::ffff:203.0.113.7", "203.0.113.7"),
        ("198.51.100.9", "203.0.113.7", "198.51.100.9"),
        ("", "203.0.113.7", "127.0.0.1"),
    ],
)
def test_the_header_is_believed_only_from_a_listed_proxy(
    settings: Settings, peer: str, forwarded: str, address: str
) -> None:
    settings.CLIENT_ADDRESS_HEADER = "X-Forwarded-For"
    settings.TRUSTED_PROXIES = networks(["10.0.0.0/8"], of="TRUSTED_PROXIES")
    assert client_address(_asked(peer, forwarded)) == address


def test_without_the_setting_the_header_is_nothing(settings: Settings) -> None:
    settings.CLIENT_ADDRESS_HEADER = ""
    settings.TRUSTED_PROXIES = networks(["10.0.0.0/8"], of="TRUSTED_PROXIES")
    assert client_address(_asked("10.0.0.1", "203.0.113.7")) == "10.0.0.1"


def test_a_network_that_is_none_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match="Set TRUSTED_PROXIES to addresses or networks"):
        networks(["10.0.0.0/99"], of="TRUSTED_PROXIES")


def _refused() -> dict[str, float]:
    """How often each limit said no, as Prometheus is told."""
    families = list(REFUSED.collect())
    samples = [one for family in families for one in family.samples if one.name == "shop_limited_total"]
    return {one.labels["limit"]: one.value for one in samples}


def test_every_limit_counts_whom_it_refused(buyer: User) -> None:
    before, url = Counter(_refused()), reverse("account_login")
    owner, stranger = Client(), Client()
    owner.post(url, {"login": buyer.email, "password": PASSWORD})
    owner.post(reverse("account_logout"))
    for n in range(12):
        stranger.post(url, WRONG, REMOTE_ADDR=f"192.0.2.{n}")
        owner.post(url, WRONG, REMOTE_ADDR=f"198.51.100.{n}")
    for n in range(31):
        stranger.post(url, {**WRONG, "login": f"other-{n}@example.com"}, REMOTE_ADDR="203.0.113.7")
    more = Counter(_refused()) - before
    # The first login of the owner counts for the account: his browser was not known yet.
    assert more == {"login account": 3, "login device": 2, "login address": 1}
    told = Client().get("/metrics").content.decode()
    assert re.search(r'^shop_limited_total\{limit="login device"\} [1-9]', told, re.MULTILINE)
