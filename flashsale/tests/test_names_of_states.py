"""A state has one name, whoever tells of it: the page, the status document, the cockpit, the mail."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone, translation

from accounts.models import User
from flashsale import draining, reservations, scheduling
from flashsale.gate.answers import PHASE_WORDS
from flashsale.models import Reservation, SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, win
from flashsale.tests.pages import address, logged_in, words
from shop.orders import mail
from shop.orders.models import OutboxMail

pytestmark = pytest.mark.django_db(transaction=True)
LANGUAGES = ("en", "zh-hans")


def coming(make_sale: MakeSale) -> SaleItem:
    return make_sale(opens_at=timezone.now() + timedelta(minutes=20))


def running(make_sale: MakeSale) -> SaleItem:
    return make_sale()


def paused(make_sale: MakeSale) -> SaleItem:
    item = make_sale()
    scheduling.pause(sale_id=item.sale_id)
    return item


def ended(make_sale: MakeSale) -> SaleItem:
    item = make_sale()
    scheduling.close_now(sale_id=item.sale_id)
    return item


def chip(page: str) -> str:
    """Return the word of the first chip after the heading."""
    found = re.search(r'class="chip[^>]*>(?:<svg.*?</svg>)?([^<]+)<', page.partition("<h1")[2], re.DOTALL)
    assert found
    return found[1].strip()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", [coming, running, paused, ended], ids=lambda state: state.__name__)
def test_a_sale_is_called_the_same_on_its_page_in_the_list_in_the_cockpit_and_by_the_gate(
    make_sale: MakeSale, state: Callable[[MakeSale], SaleItem], language: str
) -> None:
    item = state(make_sale)
    boss = logged_in(User.objects.create_superuser("mei@example.com"))
    asked = {"Accept-Language": language}
    page = Client().get(address(item), headers=asked).content.decode()
    shown = page.partition("data-box>")[2]
    said = re.search(r'data-when="(\w+)">(.*?)</span>', shown, re.DOTALL)
    assert said
    name = re.sub(r"<svg.*?</svg>|<[^>]+>", "", said[2], flags=re.DOTALL).strip()
    assert said[1] == state.__name__
    assert state.__name__ in PHASE_WORDS.values(), "what the gate calls it"
    if language == "en":
        assert name.lower() == state.__name__
    assert chip(Client().get("/sales/", headers=asked).content.decode()) == name
    rows = boss.get("/admin/flashsale/sale/", headers=asked).content.decode()
    assert name in rows.partition("<tbody")[2]
    live = boss.get(f"/admin/flashsale/sale/{item.sale_id}/live/", headers=asked).content.decode()
    assert name in live.partition("<main")[2]
    title = re.search(r"<title>([^<]+)</title>", page)
    assert title
    assert " ".join(title[1].split()).startswith(f"{name} – ")


@pytest.mark.parametrize("language", LANGUAGES)
def test_standby_and_promotion_are_told_by_mail_in_the_words_of_the_page(
    make_sale: MakeSale, shoppers: MakeShoppers, language: str
) -> None:
    item, (ann, bea) = make_sale(quantity=1, standby_size=5), shoppers(2)
    User.objects.update(language=language)
    (rid,) = win(item, ann)
    attempt(item, bea)
    draining.drain_once(sale_id=item.sale_id)
    client, result = logged_in(bea), address(item, "items", str(item.pk))

    def subject(kind: str) -> str:
        return str(mail.render(OutboxMail.objects.get(to=bea.email, kind=kind)).subject)

    def page() -> str:
        return words(client.get(result, headers={"Accept-Language": language}, follow=True))

    place = {"en": "number 1 on standby", "zh-hans": "第 1 位候补"}[language]
    assert place in page()
    assert place in subject("standby")
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    until = re.search(r"\d\d:\d\d UTC", subject("promoted"))
    assert until
    assert until[0] in page()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("status", Reservation.Status)
def test_a_reservation_is_called_by_its_name_in_the_cockpit(
    make_sale: MakeSale, shoppers: MakeShoppers, status: Reservation.Status, language: str
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    win(item, bea)
    Reservation.objects.update(status=status, ended_at=None if status == "held" else timezone.now())
    boss = logged_in(User.objects.create_superuser("mei@example.com"))
    rows = boss.get("/admin/flashsale/reservation/", headers={"Accept-Language": language}).content.decode()
    with translation.override(language):
        assert str(status.label) in rows.partition("<tbody")[2].partition("</table")[0]
