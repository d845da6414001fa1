"""The entry to a sale that asks for proof of work: beside the other ways, and spared by a link."""

from collections.abc import Callable

import pytest
from captcha.models import CaptchaStore
from django.conf import settings as django_settings
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from flashsale import entry_link, work
from flashsale.models import SaleItem
from flashsale.tests.pages import address, change, enter, logged_in, right_letters, words
from flashsale.tests.workers import challenge_on, worked

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uncounted")]
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


@pytest.fixture
def item(make_sale: Make) -> SaleItem:
    return make_sale(proof_of_work=True)


def is_in(client: Client) -> bool:
    return django_settings.PASS_COOKIE in client.cookies


def test_a_sale_does_not_ask_for_work_unless_it_is_told_to(as_bea: Client, make_sale: Make) -> None:
    plain = make_sale(question="Which wood?", answers="Oak")
    page = as_bea.get(address(plain, "enter")).content.decode()
    assert "data-work" not in page
    assert "js/entry" not in page
    assert enter(as_bea, plain, answer="oak").status_code == 302


def test_the_work_alone_is_enough_where_nothing_else_is_asked(as_bea: Client, item: SaleItem) -> None:
    told = words(as_bea.get(address(item, "enter")))
    assert "your browser makes it. Then one press, and you are in." in told
    assert "New challenge" not in told
    assert enter(as_bea, item, **worked(as_bea, item)).status_code == 302
    assert is_in(as_bea)


def test_without_script_the_page_offers_the_link(as_bea: Client, bea: User, item: SaleItem) -> None:
    told = words(as_bea.get(address(item, "enter")))
    assert "Without JavaScript your browser cannot make the check. Have a link sent to you below" in told
    assert "A link is on its way" in words(enter(as_bea, item, way="link"))
    assert not is_in(as_bea)
    assert enter(as_bea, item, link=entry_link.make(user=bea, sale=item.sale)).status_code == 302
    assert is_in(as_bea)


def test_a_link_that_ended_says_so_and_not_that_work_is_missing(as_bea: Client, item: SaleItem) -> None:
    told = words(enter(as_bea, item, link="spoilt"))
    assert "This link has ended" in told
    assert "had not finished" not in told
    assert not is_in(as_bea)


def test_who_is_in_takes_a_new_pass_without_work(as_bea: Client, item: SaleItem) -> None:
    enter(as_bea, item, **worked(as_bea, item))
    assert "data-work" not in as_bea.get(address(item, "enter")).content.decode()
    assert enter(as_bea, item).status_code == 302


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda _: "", "Your browser had not finished its check."),
        (lambda _: "x", "belongs to another account or sale."),
    ],
)
def test_work_that_does_not_count_is_said_and_brings_a_new_challenge(
    as_bea: Client, item: SaleItem, spoil: Callable[[str], str], sentence: str
) -> None:
    first = challenge_on(as_bea.get(address(item, "enter")))
    response = enter(as_bea, item, work=spoil(first))
    assert sentence in words(response)
    assert challenge_on(response) not in ("", first)
    assert not is_in(as_bea)


def test_another_shoppers_work_and_used_work_are_refused(item: SaleItem, shoppers: Crowd) -> None:
    ann, bea = (logged_in(user) for user in shoppers(2))
    given = worked(ann, item)
    assert "belongs to another account" in words(enter(bea, item, **given))
    assert enter(ann, item, **given).status_code == 302
    ann.cookies.pop(f"{django_settings.ENTERED_COOKIE}-{item.sale_id}")
    assert "each counts once" in words(enter(ann, item, **given))


def test_letters_and_work_are_asked_for_together_and_letters_outlive_bad_work(
    as_bea: Client, item: SaleItem
) -> None:
    change(item.sale, captcha=True)
    letters = right_letters(as_bea, item)
    response = enter(as_bea, item, work="x", **letters)
    page = response.content.decode()
    assert f'value="{letters["captcha"]}"' in page
    assert f'value="{letters["captcha_key"]}"' in page
    assert CaptchaStore.objects.filter(hashkey=letters["captcha_key"][:40]).exists()
    alone = enter(as_bea, item, **worked(as_bea, item))
    assert "Type the letters, answer the question" in words(alone)
    assert not is_in(as_bea)
    assert enter(as_bea, item, **letters, **worked(as_bea, item)).status_code == 302


def test_an_answer_outlives_bad_work(as_bea: Client, make_sale: Make) -> None:
    asked = make_sale(proof_of_work=True, question="Which wood?", answers="Oak")
    page = enter(as_bea, asked, answer="oak").content.decode()
    assert 'value="oak"' in page
    assert "This is not the answer" not in page
    assert enter(as_bea, asked, answer="oak", **worked(as_bea, asked)).status_code == 302


def test_a_page_that_is_kept_carries_each_shoppers_own_challenge(
    item: SaleItem, shoppers: Crowd, settings: Settings
) -> None:
    memory = {"BACKEND": "shop.kept.KeptCache"}
    settings.CACHES = {**settings.CACHES, "process": memory}
    caches["process"].clear()
    clients = [logged_in(user) for user in shoppers(2)]
    for client in clients:
        assert enter(client, item, **worked(client, item)).status_code == 302
    caches["process"].clear()


def test_a_crowd_is_asked_for_more(as_bea: Client, item: SaleItem, monkeypatch: pytest.MonkeyPatch) -> None:
    assert f'"most":{work.FEWEST}}}' in challenge_on(as_bea.get(address(item, "enter")))
    monkeypatch.setattr(work, "crowd_of", lambda _: 1000)
    assert f'"most":{work.FEWEST + 500}}}' in challenge_on(as_bea.get(address(item, "enter")))
