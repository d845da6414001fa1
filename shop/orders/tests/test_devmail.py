"""The mails of a development shop can be read in the browser; those of any other cannot."""

from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client

from shop.orders import outbox


@pytest.fixture
def development(settings: Any, tmp_path: Path) -> None:
    settings.DEBUG = True
    settings.EMAIL_FILE_PATH = str(tmp_path)
    settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"


def test_mails_of_orders_and_accounts_are_listed_once_each(
    client: Client, db: None, development: None
) -> None:
    context = {"title": "Lamp", "pay_by": "2026-11-22T10:24:00+00:00", "price": 4900, "path": "/orders/1/"}
    outbox.put("r-1", "reserved", "ada@example.com", "en", context)
    assert outbox.send_due() == 1
    message = EmailMultiAlternatives(
        "Confirm your address", "Open http://127.0.0.1/x/", to=["bob@example.com"]
    )
    get_connection().send_messages([message])
    mails = client.get("/dev/mail/").context["mails"]
    assert sorted(mail.subject for mail in mails) == [
        "Confirm your address",
        "Yours until 10:24 UTC: pay for Lamp",
    ]
    for mail in mails:
        assert mail.text.split()[0] in client.get(f"/dev/mail/{mail.source}/{mail.name}/").content.decode()
    own = next(mail for mail in mails if mail.source == "outbox")
    assert "<h1>Yours until" in client.get(f"/dev/mail/outbox/{own.name}/?part=html").content.decode()


@pytest.mark.parametrize("path", ["outbox/1/", "outbox/x/", "file/..%2f..%2fetc/", "else/1/"])
def test_a_mail_that_is_not_there_is_not_found(
    client: Client, db: None, development: None, path: str
) -> None:
    assert client.get(f"/dev/mail/{path}").status_code == 404


def test_outside_development_the_page_does_not_exist(client: Client, db: None, settings: Any) -> None:
    settings.DEBUG = False
    assert client.get("/dev/mail/").status_code == 404
