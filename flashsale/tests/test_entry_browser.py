"""The entry to a sale in a real browser: with and without script, on two devices, for everybody's tools."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from flashsale import entry_link
from flashsale.models import SaleItem
from flashsale.tests.browsing import findings, lend_session
from flashsale.tests.pages import address, change, logged_in
from shop.orders import tasks
from shop.orders.tests.inbox import receiving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
Make = Callable[..., SaleItem]
PASSWORD = "a-lamp-by-the-field"


@pytest.fixture
def item(make_sale: Make) -> SaleItem:
    cache.clear()
    found = make_sale(question="Which wood?", answers="Oak")
    change(found.sale, captcha=True)
    return found


@pytest.fixture
def bea(db: None) -> User:
    return User.objects.create_user("bea@example.com", PASSWORD)


def of(user: User, context: BrowserContext, site: str) -> Page:
    """Open a page of a browser in which `user` is logged in."""
    lend_session(logged_in(user), context, site)
    page = context.new_page()
    page.set_default_timeout(10_000)
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_link_asked_for_here_lets_in_there_without_script(
    site: str, browser: Browser, context: BrowserContext, bea: User, item: SaleItem, settings: Any
) -> None:
    here = of(bea, context, site)
    here.goto(site + address(item, "enter"))
    press(here, "Send me a link")
    notice = here.get_by_role("status").filter(has_text="A link is on its way to b•••@example.com.")
    expect(notice).to_be_focused()
    with receiving(settings) as inbox:
        tasks.send_mail()
    text = inbox.mails[0].get_payload()[0].get_payload(decode=True).decode()
    link = re.search(r"/sales/\S+", text)
    assert link
    other = browser.new_context(java_script_enabled=False)
    there = other.new_page()
    there.goto(site + link[0])
    expect(there.locator("h1")).to_have_text("Log in to use your link")
    there.get_by_role("link", name="Log in", exact=True).last.click()
    there.fill("[name=login]", bea.email)
    there.fill("[name=password]", PASSWORD)
    press(there, "Log in")
    expect(there.locator("h1")).to_have_text("Enter the sale")
    press(there, "Enter the sale")
    expect(there).to_have_url(site + address(item))
    assert {cookie["path"] for cookie in other.cookies() if item.sale.slug in str(cookie["path"])}
    there.goto(site + address(item, "enter"))
    expect(there.locator("h1")).to_have_text("You are in")
    other.close()


@pytest.mark.parametrize("script", [True, False])
def test_the_key_enter_tries_what_was_typed(
    site: str, browser: Browser, bea: User, item: SaleItem, script: bool
) -> None:
    context = browser.new_context(java_script_enabled=script)
    page = of(bea, context, site)
    page.goto(site + address(item, "enter"))
    page.get_by_label("Your answer").fill("beech")
    page.keyboard.press("Enter")
    expect(page.locator(".error-summary")).to_contain_text("This is not the answer.")
    page.get_by_label("Your answer").fill("oak")
    page.keyboard.press("Enter")
    expect(page).to_have_url(site + address(item))
    context.close()


def test_a_new_challenge_is_said_where_the_focus_is(
    site: str, context: BrowserContext, bea: User, item: SaleItem
) -> None:
    page = of(bea, context, site)
    page.goto(site + address(item, "enter"))
    before = page.locator("[name=captcha_key]").input_value()
    press(page, "New challenge")
    expect(page.get_by_role("status").filter(has_text="New challenge loaded.")).to_be_focused()
    assert page.locator("[name=captcha_key]").input_value() != before
    expect(page.locator("img.captcha")).not_to_have_js_property("naturalWidth", 0)


def test_both_cookies_reach_only_their_sale(
    site: str, context: BrowserContext, bea: User, item: SaleItem, make_sale: Make
) -> None:
    page, other = of(bea, context, site), make_sale()
    for one in (item, other):
        page.goto(site + address(one, "enter"))
        if one == item:
            page.get_by_label("Your answer").fill("oak")
        press(page, "Enter the sale")
        expect(page).to_have_url(site + address(one))
    paths = sorted(str(cookie["path"]) for cookie in context.cookies() if cookie["name"] == "pass")
    assert paths == sorted(f"/gate/sales/{one.sale_id}/" for one in (item, other))
    for one in (item, other):
        page.goto(site + address(one, "enter"))
        expect(page.locator("h1")).to_have_text("You are in")


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1440)])
def test_axe_finds_nothing_in_any_state_of_the_entry(
    site: str, browser: Browser, context: BrowserContext, bea: User, item: SaleItem, scheme: Any, width: int
) -> None:
    page, found = of(bea, context, site), []
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 640})
    enter, link = site + address(item, "enter"), entry_link.make(user=bea, sale=item.sale)
    page.goto(enter)
    found += findings(page)
    for button in ("Enter the sale", "New challenge", "Send me a link"):
        press(page, button)
        page.wait_for_load_state()
        found += findings(page)
    for query in (f"?link={link}", "?link=spoilt"):
        page.goto(enter + query)
        found += findings(page)
    guest = browser.new_context(viewport={"width": width, "height": 640}).new_page()
    guest.goto(f"{enter}?link={link}")
    found += findings(guest)
    rival = of(User.objects.create_user("rival@example.com", PASSWORD), guest.context, site)
    rival.goto(f"{enter}?link={link}")
    expect(rival.locator("h1")).to_have_text("This link is for another account")
    found += findings(rival)
    assert found == []
