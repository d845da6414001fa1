"""Login, sign-up, verification and reset, by e-mail alone."""

import re
from pathlib import Path

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from accounts.tests.conftest import PASSWORD

NEWCOMER = {"email": "New@Example.com", "password1": "a-kettle-on-the-flame"}


class DeadMailServer(BaseEmailBackend):
    """Refuses like a port nobody listens on."""

    def send_messages(self, _messages: object) -> int:
        raise ConnectionRefusedError


def _link(text: str) -> str:
    found = re.search(r"http://testserver(/accounts/\S+)", text)
    assert found, text
    return found[1]


def test_the_right_password_opens_the_account(client: Client, buyer: User) -> None:
    response = client.post(reverse("account_login"), {"login": "buyer@example.com", "password": PASSWORD})
    assert response["Location"] == reverse("account")
    assert client.get(reverse("account")).status_code == 200


def test_a_login_returns_to_where_it_was_asked_for(client: Client, buyer: User) -> None:
    url = f"{reverse('account_login')}?next=/accounts/addresses/"
    assert "addresses" in client.get(url).content.decode()
    response = client.post(url, {"login": buyer.email, "password": PASSWORD, "next": "/accounts/addresses/"})
    assert response["Location"] == "/accounts/addresses/"


def test_a_login_never_leaves_the_shop(client: Client, buyer: User) -> None:
    url = f"{reverse('account_login')}?next=https://evil.example/"
    response = client.post(url, {"login": buyer.email, "password": PASSWORD, "next": "https://evil.example/"})
    assert response["Location"] == reverse("account")


@pytest.mark.parametrize("login", ["buyer@example.com", "nobody@example.com"])
def test_a_wrong_password_does_not_tell_whether_the_account_exists(
    client: Client, buyer: User, login: str
) -> None:
    page = client.post(reverse("account_login"), {"login": login, "password": "wrong-wrong-wrong"})
    assert "This e-mail address and this password do not belong together." in page.content.decode()
    assert f'value="{login}"' in page.content.decode()


def test_a_session_gets_a_new_key_at_login(client: Client, buyer: User) -> None:
    client.get(reverse("account_login"))
    session = client.session
    session["cart"] = "kept"
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = str(before)
    client.post(reverse("account_login"), {"login": buyer.email, "password": PASSWORD})
    assert client.session.session_key != before
    assert client.session["cart"] == "kept"


def test_a_newcomer_signs_up_and_confirms_the_address(client: Client, db: None, settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    response = client.post(reverse("account_signup"), NEWCOMER)
    assert response["Location"] == reverse("account_email_verification_sent")
    user = User.objects.get(email="new@example.com")
    assert not EmailAddress.objects.get(user=user).verified
    client.post(_link(str(mail.outbox[0].body)))
    assert EmailAddress.objects.get(user=user).verified


def test_signing_up_with_a_known_address_looks_the_same_and_mails_its_owner(
    client: Client, buyer: User, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    response = client.post(reverse("account_signup"), {**NEWCOMER, "email": buyer.email})
    assert response["Location"] == reverse("account_email_verification_sent")
    assert mail.outbox[0].to == [buyer.email]
    assert User.objects.count() == 1


def test_a_short_password_is_refused_and_the_address_kept(client: Client, db: None) -> None:
    page = client.post(reverse("account_signup"), {**NEWCOMER, "password1": "short"}).content.decode()
    assert "at least 10 characters" in page
    assert 'value="New@Example.com"' in page
    assert not User.objects.exists()


def test_a_forgotten_password_is_set_anew_once(client: Client, buyer: User) -> None:
    client.post(reverse("account_reset_password"), {"email": buyer.email})
    link = _link(str(mail.outbox[0].body))
    form = client.get(link)["Location"]
    client.post(form, {"password1": "another-lamp-here", "password2": "another-lamp-here"})
    buyer.refresh_from_db()
    assert buyer.check_password("another-lamp-here")
    assert "no longer works" in Client().get(link, follow=True).content.decode()


def test_a_reset_for_nobody_looks_the_same(client: Client, buyer: User) -> None:
    known = client.post(reverse("account_reset_password"), {"email": buyer.email})
    unknown = client.post(reverse("account_reset_password"), {"email": "nobody@example.com"})
    assert known["Location"] == unknown["Location"]


def test_a_dead_mail_server_is_told_and_the_account_exists(
    client: Client, db: None, settings: Settings
) -> None:
    settings.EMAIL_BACKEND = "accounts.tests.test_login.DeadMailServer"
    page = client.post(reverse("account_signup"), NEWCOMER, follow=True).content.decode()
    assert "We could not send the e-mail just now." in page
    assert User.objects.filter(email="new@example.com").exists()


def test_mail_files_land_in_a_folder_that_did_not_exist(
    client: Client, db: None, settings: Settings, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "not" / "yet" / "there")
    client.post(reverse("account_signup"), NEWCOMER)
    assert len(list((tmp_path / "not" / "yet" / "there").iterdir())) == 1


@pytest.mark.parametrize("email", ["buyer@example.com", "nobody@example.com"])
def test_mails_speak_for_the_shop_and_not_for_its_library(client: Client, buyer: User, email: str) -> None:
    client.post(reverse("account_reset_password"), {"email": email})
    sent = mail.outbox[0]
    assert settings.SHOP_NAME in sent.subject
    assert str(sent.body).endswith(f"{settings.SHOP_NAME}\ntestserver")
    assert "Somebody, we suppose you, asked for a new password" in str(sent.body)
    assert "example.com!" not in str(sent.body)


def test_somebody_who_left_is_not_let_in(client: Client, buyer: User) -> None:
    User.objects.filter(pk=buyer.pk).update(is_active=False)
    client.post(reverse("account_login"), {"login": buyer.email, "password": PASSWORD})
    assert client.get(reverse("account")).status_code == 302
