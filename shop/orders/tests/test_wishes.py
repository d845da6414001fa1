"""Mails that people ask for: back in stock, once, and none to those who want none."""

import re
from typing import Any

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from shop.catalogue.models import Variant
from shop.orders import outbox, stock_notices, wishes
from shop.orders.models import NoMail, OutboxMail, StockNotice
from shop.orders.tests.conftest import make_variant
from shop.orders.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
EMAIL = "ada@example.com"


@pytest.fixture
def gone(db: None) -> Variant:
    cache.clear()
    return make_variant("kettle", stock=0)


def ask(client: Client, variant: Variant, email: str = EMAIL) -> Any:
    fields = {"wanted": variant.pk, "email": email}
    return client.post(f"/notices/{variant.product_id}/", fields)


def restock(variant: Variant) -> None:
    Variant.objects.filter(pk=variant.pk).update(stock=3)


def test_whoever_asks_gets_one_mail_when_it_is_back(guest: Client, gone: Variant) -> None:
    page = guest.get(gone.product.get_absolute_url()).content.decode()
    assert f"/notices/{gone.product_id}/" in page
    for _ in range(2):
        assert ask(guest, gone, "Ada@Example.com").status_code == 302
    assert stock_notices.put_due() == 0
    restock(gone)
    assert [stock_notices.put_due(), stock_notices.put_due()] == [1, 0]
    outbox.send_due()
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == ([EMAIL], "Back in stock: Kettle")
    assert f"{gone.product.get_absolute_url()}?variant={gone.pk}" in sent.body
    assert not StockNotice.objects.exists()


def test_two_workers_write_each_mail_once(gone: Variant) -> None:
    for number in range(40):
        stock_notices.ask(variant=gone, email=f"{number}@example.com", language="en")
    restock(gone)
    assert sum(at_once([stock_notices.put_due] * 4)) == 40
    assert OutboxMail.objects.count() == 40


def test_an_address_stops_such_mails_by_the_link_in_one(guest: Client, gone: Variant) -> None:
    stock_notices.ask(variant=gone, email=EMAIL, language="en")
    restock(gone)
    stock_notices.put_due()
    outbox.send_due()
    link = re.search(r"/mail/stop/\S+", str(mail.outbox[0].body))
    assert link is not None
    headers = mail.outbox[0].extra_headers
    assert headers["List-Unsubscribe"].endswith(f"{link[0]}>")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    guest.get(link[0])
    assert not NoMail.objects.exists(), "a mail program that only looks at the link stops nothing"
    assert "We write no more of these" in Client(enforce_csrf_checks=True).post(link[0]).content.decode()
    guest.post(link[0])
    Variant.objects.filter(pk=gone.pk).update(stock=0)
    ask(guest, gone)
    restock(gone)
    stock_notices.put_due()
    assert OutboxMail.objects.count() == 1


def test_the_owner_of_an_address_may_ask_again(gone: Variant, buyer: User) -> None:
    wishes.stop(email=buyer.email)
    client = Client()
    client.force_login(buyer, backend="django.contrib.auth.backends.ModelBackend")
    assert buyer.email in client.get(f"/notices/{gone.product_id}/").content.decode()
    ask(client, gone, buyer.email)
    restock(gone)
    stock_notices.put_due()
    assert OutboxMail.objects.get().to == buyer.email


def test_a_link_that_is_not_ours_is_not_found(guest: Client) -> None:
    path = wishes.stop_path(EMAIL)
    assert guest.post(path[:-3] + "xx/").status_code == 404
    assert guest.get("/mail/stop/nonsense/").status_code == 404


@pytest.mark.parametrize("email", ["", "nobody", "a" * 250 + "@example.com"])
def test_an_address_that_is_none_is_asked_for_again(guest: Client, gone: Variant, email: str) -> None:
    answer = ask(guest, gone, email)
    assert answer.status_code == 422
    assert "<title>Error: " in answer.content.decode()
    assert not StockNotice.objects.exists()


def test_what_is_in_stock_needs_no_notice(guest: Client, lamp: Variant) -> None:
    assert ask(guest, lamp)["Location"] == lamp.product.get_absolute_url()
    assert not StockNotice.objects.exists()


def test_nobody_asks_for_hundreds_of_mails(guest: Client, gone: Variant) -> None:
    answers = [ask(guest, gone, f"{number}@example.com").status_code for number in range(22)]
    assert answers[-1] == 429
    assert StockNotice.objects.count() == 20
