"""What every page of the shop shows, said by axe and by a real browser."""

import re

import pytest
from django.test import Client
from playwright.sync_api import Browser, ViewportSize

from shop.up.state import ROOT
from tests.conftest import DESK, PHONE, findings

ADDRESSES = ["/", "/catalogue/", "/search/?q=lamp", "/cart/", "/help/", "/nowhere/"]
DOORS = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/"]


@pytest.mark.browser
@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)], ids=["desk", "phone"])
def test_axe_finds_nothing_on_any_page(
    chromium: Browser, shop: str, scheme: str, size: ViewportSize, locale: str
) -> None:
    page = chromium.new_page(base_url=shop, color_scheme=scheme, viewport=size, locale=locale)  # type: ignore[arg-type]
    found = []
    for address in ADDRESSES + DOORS:
        page.goto(address)
        found += findings(page)
    page.goto("/search/?q=arc+desk+lamp")
    page.click(".product-card-title a")
    found += findings(page)
    page.click("main a[href^='/notices/']")
    assert found + findings(page) == []


@pytest.mark.browser
def test_an_error_summary_takes_the_focus_and_its_links_lead_to_the_fields(
    chromium: Browser, shop: str
) -> None:
    page = chromium.new_page(base_url=shop, viewport=PHONE)
    page.goto("/accounts/login/")
    page.click("main form button[type=submit]")
    page.wait_for_selector(".error-summary")
    assert page.title().startswith("Error: Log in")
    assert page.evaluate("document.activeElement.classList.contains('error-summary')")
    page.click(".error-summary a")
    assert page.evaluate("document.activeElement.id") == "id_login"
    assert findings(page) == []


@pytest.mark.browser
def test_a_password_can_be_looked_at(chromium: Browser, shop: str) -> None:
    page = chromium.new_page(base_url=shop, viewport=PHONE)
    page.goto("/accounts/login/")
    page.fill("#id_password", "a-lamp-by-the-field")
    page.click(".reveal-row button")
    assert page.get_attribute("#id_password", "type") == "text"
    assert page.input_value("#id_password") == "a-lamp-by-the-field"


@pytest.mark.browser
def test_wide_letters_at_four_hundred_percent_stay_within_the_edge(chromium: Browser, shop: str) -> None:
    context = chromium.new_context(
        base_url=shop, viewport=ViewportSize(width=320, height=256), bypass_csp=True
    )
    page = context.new_page()
    wide = (
        "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
    )
    over = []
    for address in ADDRESSES + DOORS:
        page.goto(address)
        page.add_style_tag(content=wide)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            over.append(address)
    assert over == []


def test_no_page_names_something_where_it_is_never_drawn() -> None:
    # What a page that extends another one says outside its blocks is passed over: a name set there is empty.
    lost = re.compile(r"\A\{% extends [^\n]*\{% \w+[^%]* as \w+ %\}")
    pages = (ROOT / "templates").rglob("*.html")
    assert [page.name for page in pages if lost.search(page.read_text("utf-8"))] == []


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES + DOORS)
def test_both_live_regions_stand_empty_in_the_first_html(client: Client, address: str) -> None:
    page = client.get(address).content.decode()
    assert '<div class="vh" id="say-politely" role="status" aria-live="polite"></div>' in page
    assert '<div class="vh" id="say-at-once" role="alert" aria-live="assertive"></div>' in page


@pytest.mark.django_db
@pytest.mark.parametrize("address", ADDRESSES + DOORS)
def test_every_page_has_one_heading_of_the_first_rank_and_a_way_past_the_header(
    client: Client, address: str
) -> None:
    page = client.get(address).content.decode()
    assert page.count("<h1") == 1
    assert page.index('href="#main"') < page.index("<header")
    assert '<main id="main"' in page
