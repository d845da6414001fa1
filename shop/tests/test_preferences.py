"""The language and the colours that a reader chooses."""

import pytest
from django.test import Client
from django.utils import formats, translation

from accounts.models import User
from shop import money
from shop.formats.zh_Hans import formats as chinese

pytestmark = pytest.mark.django_db
HERE = {"Referer": "http://testserver/help/"}


def test_a_reader_chooses_a_language_and_comes_back_to_the_page(client: Client) -> None:
    answer = client.post("/language/", {"language": "zh-hans"}, headers=HERE)
    assert answer["Location"] == "http://testserver/help/"
    assert client.get("/help/")["Content-Language"] == "zh-hans"
    assert '<html lang="zh-hans"' in client.get("/help/").content.decode()


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.5", "zh-hans"),
        ("zh", "zh-hans"),
        ("de-DE", "en"),
        ("", "en"),
        ("en-GB", "en"),
    ],
)
def test_without_a_choice_the_browser_is_asked(client: Client, asked: str, given: str) -> None:
    assert client.get("/help/", headers={"Accept-Language": asked})["Content-Language"] == given


def test_each_language_stands_in_the_footer_in_its_own_name(client: Client) -> None:
    page = client.get("/help/").content.decode()
    assert 'value="en" lang="en" aria-current="true">English</button>' in page
    assert 'value="zh-hans" lang="zh-hans">简体中文</button>' in page
    chinese = client.get("/help/", headers={"Accept-Language": "zh-CN"}).content.decode()
    assert 'value="en" lang="en">English</button>' in chinese


def test_a_reader_chooses_light_or_dark_and_the_server_draws_it(client: Client) -> None:
    assert "data-scheme" not in client.get("/help/").content.decode()
    assert client.post("/scheme/", {"scheme": "dark"}, headers=HERE)["Location"] == HERE["Referer"]
    assert 'data-scheme="dark"' in client.get("/help/").content.decode()
    client.post("/scheme/", {"scheme": ""}, headers=HERE)
    assert "data-scheme" not in client.get("/help/").content.decode()


def test_a_choice_leads_back_to_pages_of_ours_only(client: Client) -> None:
    elsewhere = {"Referer": "https://elsewhere.example/"}
    assert client.post("/scheme/", {"scheme": "dark"}, headers=elsewhere)["Location"] == "/"
    assert client.post("/language/", {"language": "en"}, headers=elsewhere)["Location"] == "/"


def test_a_cookie_that_says_nonsense_changes_nothing(client: Client) -> None:
    client.cookies["scheme"] = '"><script>'
    client.cookies["django_language"] = "klingon"
    page = client.get("/help/")
    assert "data-scheme" not in page.content.decode()
    assert page["Content-Language"] == "en"


@pytest.mark.parametrize("amount", [0, 1, 2, 12431, 1_000_000])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_numbers_stand_in_groups_of_three_in_every_language(language: str, amount: int) -> None:
    with translation.override(language):
        assert formats.number_format(amount, force_grouping=True) == f"{amount:,}"
        assert money.draw(amount * 100) == f"USD {amount:,}.00"
    assert chinese.NUMBER_GROUPING == 3


def test_mails_follow_the_language_of_whoever_is_logged_in(admin_user: User, admin_client: Client) -> None:
    assert admin_user.language == "en"
    admin_client.post("/language/", {"language": "zh-hans"}, headers=HERE)
    admin_user.refresh_from_db()
    assert admin_user.language == "zh-hans"
    admin_client.post("/language/", {"language": "klingon"}, headers=HERE)
    admin_user.refresh_from_db()
    assert admin_user.language == "zh-hans"


def test_mails_follow_the_language_of_the_login(client: Client) -> None:
    fields = {"email": "mei@example.com", "password1": "a-Long-pass-phrase-9"}
    client.post("/accounts/signup/", fields, headers={"Accept-Language": "zh-CN"})
    assert User.objects.get().language == "zh-hans"
