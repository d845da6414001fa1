"""What an operator says of a pause: with it, after it, and what the live page reminds him of."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from accounts.models import User
from flashsale import audit, operating
from flashsale.models import Pause, Sale
from flashsale.tests.conftest import MakeSale
from flashsale.tests.pages import words
from flashsale.tests.test_admin_verbs import at, do, staff

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def merchandiser(db: None) -> Client:
    return staff("merchandiser")


def test_one_form_pauses_with_a_reason_and_explains_it_later(
    merchandiser: Client, make_sale: MakeSale
) -> None:
    item = make_sale()
    assert "Pause “Lamp sale" in words(merchandiser.get(at(item, "why")))
    said = do(merchandiser, item, "why", reason="check", words="Crates are being counted.", minutes="30")
    row = Pause.objects.get()
    assert Sale.objects.get().paused
    assert (row.reason, row.words) == ("check", "Crates are being counted.")
    assert timedelta(minutes=29) < row.news_at - timezone.now() < timedelta(minutes=30)
    assert "Shoppers are told that you say more by" in said
    page = words(merchandiser.get(at(item, "why")))
    assert "Shoppers read now: The shop is checking something about this sale. Crates are being" in page
    said = do(merchandiser, item, "why", reason="", words="", minutes="5")
    assert "Every open page shows it." in said
    row = Pause.objects.get()
    assert (row.reason, row.words) == ("", "")
    assert row.news_at < timezone.now() + timedelta(minutes=5)


def test_one_press_still_pauses_and_promises_news(merchandiser: Client, make_sale: MakeSale) -> None:
    item = make_sale()
    assert "Shoppers are told that you say more by" in do(merchandiser, item, "pause")
    assert Pause.objects.get().reason == ""


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"minutes": "0"}, "Give yourself at least a minute."),
        ({"minutes": "soon"}, "Write a number of minutes such as 10."),
        ({"minutes": "721"}, "Say more within twelve hours."),
        ({"minutes": "5", "words": "a" * 201}, "Write at most 200 characters."),
    ],
)
def test_what_cannot_be_told_is_named_and_nothing_is_paused(
    merchandiser: Client, make_sale: MakeSale, fields: dict[str, str], said: str
) -> None:
    item = make_sale()
    assert said in words(merchandiser.post(at(item, "why"), fields))
    assert not Sale.objects.get().paused
    assert not Pause.objects.exists()


def test_a_draft_is_not_explained(merchandiser: Client, make_sale: MakeSale) -> None:
    item = make_sale(scheduled=False)
    assert "is not running and not about to." in do(merchandiser, item, "why", minutes="5")
    assert not Pause.objects.exists()


def test_an_old_page_explains_nothing(merchandiser: Client, make_sale: MakeSale, mei: User) -> None:
    item = make_sale()
    operating.pause(sale=item.sale, by=mei)
    old = str(merchandiser.get(at(item, "why")).context["form"]["seen"].value())
    operating.resume(sale=Sale.objects.get(), by=mei)
    operating.pause(sale=Sale.objects.get(), by=mei)
    said = do(merchandiser, item, "why", reason="check", minutes="5", seen=old)
    assert "Nothing was done. mei@example.com did this" in said
    assert Pause.objects.get(ended_at=None).reason == ""


def test_the_live_page_says_what_is_told_and_when_news_is_due(
    merchandiser: Client, make_sale: MakeSale
) -> None:
    item = make_sale()
    do(merchandiser, item, "why", reason="check", minutes="30")
    text = words(merchandiser.get(at(item, "live")))
    assert "The shop is checking something about this sale. Shoppers expect news by" in text
    Pause.objects.update(news_at=timezone.now() - timedelta(minutes=1))
    cache.clear()
    assert "News was due at" in words(merchandiser.get(at(item, "live")))
    assert audit.log(item.sale)[0].change.reason == "The shop is checking something about this sale."
