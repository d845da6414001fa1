"""Who arrives is known by one statement, and only where the framework would know the same person."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.tasks import draw_captchas
from flashsale import arrival
from flashsale.drawn_once import MARKS
from flashsale.models import SaleItem, WhitelistEntry
from flashsale.tests.pages import address, change, enter, logged_in, right_letters, words

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("uncounted")]
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]
LOGIN = "/accounts/login/"


@pytest.fixture
def item(make_sale: Make) -> SaleItem:
    found = make_sale()
    change(found.sale, captcha=True)
    return found


@pytest.fixture
def bea(shoppers: Crowd) -> User:
    return shoppers(1)[0]


@pytest.fixture
def kept(settings: Settings) -> Iterator[None]:
    """Keep what is the same for everybody, as production does."""
    memory = {"BACKEND": "shop.kept.KeptCache"}
    settings.CACHES = {**settings.CACHES, "process": memory}
    caches["process"].clear()
    yield
    caches["process"].clear()


def request_of(client: Client, rf: Any) -> Any:
    request = rf.get("/")
    request.session = client.session
    return request


def change_session(client: Client, **values: Any) -> None:
    session = client.session
    session.update(values)
    session.save()


def test_the_row_is_the_one_the_framework_reads(item: SaleItem, bea: User, rf: Any) -> None:
    WhitelistEntry.objects.create(sale=item.sale, email=bea.email)
    request = request_of(logged_in(bea), rf)
    assert arrival.look(request, sale=item.sale) == (False, True)
    read = User.objects.get(pk=bea.pk)
    for field in User._meta.concrete_fields:
        assert getattr(request._cached_user, field.attname) == getattr(read, field.attname), field
    assert not request._cached_user._state.adding


@pytest.mark.parametrize(
    "spoilt",
    [{HASH_SESSION_KEY: "another password"}, {HASH_SESSION_KEY: ""}, {BACKEND_SESSION_KEY: "some.other"}],
)
def test_a_session_that_is_not_in_order_logs_nobody_in(
    item: SaleItem, bea: User, spoilt: dict[str, str], rf: Any
) -> None:
    client = logged_in(bea)
    change_session(client, **spoilt)
    assert arrival.look(request_of(client, rf), sale=item.sale) is None
    assert client.get(address(item, "enter"))["Location"].startswith(LOGIN)


def test_an_account_that_was_closed_is_logged_out(item: SaleItem, bea: User) -> None:
    client = logged_in(bea)
    User.objects.filter(pk=bea.pk).update(is_active=False)
    assert client.get(address(item, "enter"))["Location"].startswith(LOGIN)


def test_an_account_that_was_deleted_is_logged_out(item: SaleItem, bea: User) -> None:
    client = logged_in(bea)
    bea.delete()
    assert client.get(address(item, "enter"))["Location"].startswith(LOGIN)


def test_a_changed_password_ends_the_session_here_too(item: SaleItem, bea: User) -> None:
    client = logged_in(bea)
    bea.set_password("another long password")
    bea.save()
    assert client.get(address(item, "enter"))["Location"].startswith(LOGIN)
    assert client.session.is_empty()


def test_a_session_signed_with_the_key_before_is_taken(item: SaleItem, bea: User, settings: Settings) -> None:
    client = logged_in(bea)
    # Sessions of the cache live on; their hash was made with the key that is a fallback now.
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "n" * 60, [settings.SECRET_KEY]
    assert client.get(address(item, "enter")).status_code == 200


def test_the_way_in_costs_one_question_and_the_letters_one_row(
    kept: None, item: SaleItem, shoppers: Crowd, settings: Settings
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "optional"
    first, second = (logged_in(user) for user in shoppers(2))
    settings.CAPTCHA_POOL = 3
    draw_captchas()
    first.get(address(item, "enter"))
    with CaptureQueriesContext(connection) as form:
        given = right_letters(second, item)
    assert [query["sql"].split()[0] for query in form][:1] == ["SELECT"]
    assert len([query for query in form if "captcha_captchastore" not in query["sql"]]) == 1
    with CaptureQueriesContext(connection) as answer:
        assert enter(second, item, **given).status_code == 302
    statements = [query["sql"].split()[0] for query in answer]
    assert statements == ["SELECT", "DELETE", "INSERT"]


def test_the_page_that_is_kept_says_what_a_page_of_ones_own_says(
    kept: None, item: SaleItem, shoppers: Crowd, settings: Settings
) -> None:
    ann, bea = (logged_in(user) for user in shoppers(2))
    own = words(ann.get(address(item, "enter")))  # nothing is drawn ahead: a page of her own
    settings.CAPTCHA_POOL = 4
    draw_captchas()
    pages = [client.get(address(item, "enter"), {"next": "/?a=1&b=<2>"}) for client in (ann, bea, ann)]
    assert [words(page) for page in pages] == [own] * 3
    texts = [page.content.decode() for page in pages]
    for mark in ("captcha_key", "csrfmiddlewaretoken"):
        values = {text.partition(f'name="{mark}" value="')[2].partition('"')[0] for text in texts}
        assert len(values) == 3
    assert all('name="next" value="/?a=1&amp;b=&lt;2&gt;"' in text for text in texts)
    assert len({text.partition("base64,")[2].partition('"')[0] for text in texts}) == 3
    for client, text in ((bea, texts[1]), (ann, texts[2])):
        key = text.partition('name="captcha_key" value="')[2].partition('"')[0]
        assert client.get(f"/accounts/captcha/{key}.png").status_code == 200
    assert not any(mark in text for mark in MARKS for text in texts)


def test_who_has_news_gets_a_page_of_his_own(
    kept: None, item: SaleItem, shoppers: Crowd, make_sale: Make, settings: Settings
) -> None:
    settings.CAPTCHA_POOL = 4
    draw_captchas()
    ann, bea = (logged_in(user) for user in shoppers(2))
    over = make_sale()
    change(over.sale, closes_at=timezone.now())
    assert enter(ann, over).status_code == 302  # leaves the message that it has ended
    assert "This sale has ended" in words(ann.get(address(item, "enter")))
    assert "This sale has ended" not in words(bea.get(address(item, "enter")))
