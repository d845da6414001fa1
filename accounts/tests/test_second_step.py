"""A code after the password: set up, asked for at both doors, and what helps whoever lost the app."""

import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from accounts.tests.conftest import PASSWORD

ADMIN, DOOR, CODE = reverse("admin:index"), reverse("admin:login"), reverse("mfa_authenticate")
WRONG = "This code is not right."


@pytest.fixture
def chief(db: None) -> User:
    return User.objects.create_superuser("chief@example.com", PASSWORD)


@pytest.fixture
def secret(chief: User) -> str:
    """Set the second step up in a browser of its own, as the chief does; the secret that the app took."""
    browser = Client()
    browser.post(reverse("account_login"), {"login": chief.email, "password": PASSWORD})
    return _set_up(browser)


def _set_up(browser: Client) -> str:
    url = reverse("mfa_activate_totp")
    browser.post(f"{reverse('account_reauthenticate')}?next={url}", {"password": PASSWORD})
    page = browser.get(url).content.decode()
    found = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert found, page
    assert 'src="data:image/svg+xml;base64,' in page
    answer = browser.post(url, {"code": _code(found[1])}, follow=True)
    assert "Each of them opens your account once" in answer.content.decode()
    return str(found[1])


def _code(secret: str) -> str:
    return str(auth.format_hotp_value(auth.hotp_value(secret, next(auth.yield_hotp_counters_from_time()))))


def _not(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def _at_the_door(browser: Client, door: str = DOOR) -> str:
    """Give the right password at one of the doors; where that leads."""
    name = "username" if door == DOOR else "login"
    form = {name: "chief@example.com", "password": PASSWORD, "next": ADMIN}
    return str(browser.post(door, form)["Location"])


def _is_in(browser: Client) -> bool:
    return browser.get(ADMIN).status_code == 200


@pytest.mark.parametrize("door", [DOOR, reverse("account_login")])
def test_after_the_password_the_code_opens_the_admin(client: Client, secret: str, door: str) -> None:
    assert _at_the_door(client, door) == CODE
    assert not _is_in(client)
    assert client.post(CODE, {"code": _code(secret)})["Location"] == ADMIN
    assert _is_in(client)


@pytest.mark.parametrize("door", [DOOR, reverse("account_login")])
def test_a_password_alone_opens_nothing(client: Client, secret: str, door: str) -> None:
    _at_the_door(client, door)
    assert client.get(reverse("account")).status_code == 302
    assert client.get(reverse("mfa_index")).status_code == 302
    assert not _is_in(client)


def test_a_wrong_code_is_told_and_logs_nobody_in(client: Client, secret: str) -> None:
    _at_the_door(client)
    assert WRONG in client.post(CODE, {"code": _not(_code(secret))}).content.decode()
    assert "Enter the six digits" in client.post(CODE, {"code": ""}).content.decode()
    assert not _is_in(client)


def test_the_same_code_opens_only_once(client: Client, secret: str) -> None:
    code = _code(secret)
    _at_the_door(client)
    client.post(CODE, {"code": code})
    other = Client()
    _at_the_door(other)
    assert WRONG in other.post(CODE, {"code": code}).content.decode()
    assert not _is_in(other)


def test_a_recovery_code_opens_once(secret: str, chief: User) -> None:
    code = Authenticator.objects.get(user=chief, type="recovery_codes").wrap().get_unused_codes()[0]
    for is_in in (True, False):
        browser = Client()
        _at_the_door(browser)
        browser.post(CODE, {"code": code})
        assert _is_in(browser) is is_in


def test_codes_are_counted_by_account_from_whatever_address(client: Client, secret: str) -> None:
    wrong = _not(_code(secret))
    _at_the_door(client)
    for number in range(10):
        page = client.post(CODE, {"code": wrong}, REMOTE_ADDR=f"10.0.0.{number}")
        assert WRONG in page.content.decode()
    elsewhere = Client(REMOTE_ADDR="10.0.1.1")
    _at_the_door(elsewhere)
    assert elsewhere.post(CODE, {"code": _code(secret)}).status_code == 429


def test_without_it_staff_log_in_as_ever(client: Client, chief: User) -> None:
    assert _at_the_door(client) == ADMIN
    assert _is_in(client)


def test_where_it_is_required_staff_without_it_are_led_to_set_it_up(
    client: Client, chief: User, settings: Settings
) -> None:
    settings.STAFF_SECOND_STEP = True
    assert _at_the_door(client) == ADMIN
    assert not _is_in(client)
    page = client.get(ADMIN, follow=True)
    assert "The admin asks for a second step." in page.content.decode()
    secret = _set_up(client)
    code_again = client.get(DOOR)["Location"]
    assert code_again.startswith(reverse("mfa_reauthenticate"))
    assert client.post(code_again, {"code": _code(secret)})["Location"] == ADMIN
    assert _is_in(client)


def test_where_it_is_required_an_older_session_gives_the_code_first(
    client: Client, chief: User, secret: str, settings: Settings
) -> None:
    client.force_login(chief, backend="django.contrib.auth.backends.ModelBackend")
    assert _is_in(client)
    settings.STAFF_SECOND_STEP = True
    assert not _is_in(client)
    assert client.get(ADMIN, follow=True).redirect_chain[-1][0].startswith(reverse("mfa_reauthenticate"))


def test_where_it_is_required_shoppers_shop_without_it(as_buyer: Client, settings: Settings) -> None:
    settings.STAFF_SECOND_STEP = True
    assert as_buyer.get(reverse("account")).status_code == 200


def test_no_password_alone_takes_it_away(client: Client, secret: str) -> None:
    _at_the_door(client)
    client.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(type="totp").count() == 1


def test_who_removes_it_confirms_that_it_is_he(client: Client, secret: str) -> None:
    _at_the_door(client)
    client.post(CODE, {"code": _code(secret)})
    url = reverse("mfa_deactivate_totp")
    assert "reauthenticate" in client.get(url)["Location"]
    client.post(f"{reverse('account_reauthenticate')}?next={url}", {"password": PASSWORD})
    client.post(url)
    assert not Authenticator.objects.exists()


def test_an_operator_resets_it_for_whoever_lost_the_app(
    client: Client, secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("reset_second_step", "Chief@example.com")
    call_command("reset_second_step", "chief@example.com")
    told = capsys.readouterr().out.splitlines()
    assert told == ["Chief@example.com has no second step now.", "chief@example.com had no second step."]
    assert _at_the_door(client) == ADMIN
    with pytest.raises(CommandError, match=r"There is no account nobody@example\.com"):
        call_command("reset_second_step", "nobody@example.com")


def test_nobody_reads_secrets_in_the_admin(client: Client, secret: str) -> None:
    _at_the_door(client)
    client.post(CODE, {"code": _code(secret)})
    assert "authenticator" not in client.get(ADMIN).content.decode().lower()
