"""Proof of work at the entry in a real browser: one press, whenever it comes."""

from collections.abc import Callable

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page, expect

from accounts.models import User
from flashsale.models import SaleItem
from flashsale.tests.browsing import findings, lend_session
from flashsale.tests.pages import address, logged_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
Make = Callable[..., SaleItem]
HELD = """
  const derive = crypto.subtle.deriveBits.bind(crypto.subtle);
  const until = new Promise((go) => { globalThis.goOn = go; });
  crypto.subtle.deriveBits = (...how) => until.then(() => derive(...how));
"""
INSECURE = "Object.defineProperty(crypto, 'subtle', { value: undefined });"


@pytest.fixture
def item(make_sale: Make) -> SaleItem:
    cache.clear()
    return make_sale(proof_of_work=True)


@pytest.fixture
def bea(db: None) -> User:
    return User.objects.create_user("bea@example.com", "a-lamp-by-the-field")


def opened(context: BrowserContext, bea: User, site: str, item: SaleItem, script: str = "") -> Page:
    """Open the page of entry in a browser in which Bea is logged in and `script` ran before."""
    lend_session(logged_in(bea), context, site)
    page = context.new_page()
    page.add_init_script(script)
    page.goto(site + address(item, "enter"))
    return page


def test_one_press_enters_once_the_check_is_made(
    site: str, context: BrowserContext, bea: User, item: SaleItem
) -> None:
    page = opened(context, bea, site, item)
    expect(page.get_by_role("status").filter(has_text="Checked.")).to_be_visible()
    assert findings(page) == []
    page.get_by_role("button", name="Enter the sale", exact=True).click()
    expect(page).to_have_url(site + address(item))
    page.goto(site + address(item, "enter"))
    expect(page.locator("h1")).to_have_text("You are in")


def test_a_press_that_comes_before_waits_for_the_check_and_goes_on_by_itself(
    site: str, context: BrowserContext, bea: User, item: SaleItem
) -> None:
    page = opened(context, bea, site, item, HELD)
    button = page.get_by_role("button", name="Enter the sale", exact=True)
    button.click()
    expect(button).to_have_attribute("aria-busy", "true")
    expect(page.get_by_role("status").filter(has_text="Checking your browser …")).to_be_visible()
    expect(page).to_have_url(site + address(item, "enter"))
    page.evaluate("goOn()")
    expect(page).to_have_url(site + address(item))


def test_while_the_check_runs_a_link_can_be_sent(
    site: str, context: BrowserContext, bea: User, item: SaleItem
) -> None:
    page = opened(context, bea, site, item, HELD)
    page.get_by_role("button", name="Send me a link", exact=True).click()
    expect(page.get_by_role("status").filter(has_text="A link is on its way")).to_be_focused()


def test_a_browser_that_cannot_make_the_check_is_shown_the_link(
    site: str, context: BrowserContext, bea: User, item: SaleItem
) -> None:
    page = opened(context, bea, site, item, INSECURE)
    expect(page.get_by_role("status").filter(has_text="Have a link sent to you below")).to_be_visible()
    page.get_by_role("button", name="Enter the sale", exact=True).click()
    expect(page.locator(".error-summary")).to_contain_text("Your browser had not finished its check.")


def test_without_script_the_link_is_named(site: str, browser: Browser, bea: User, item: SaleItem) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = opened(context, bea, site, item)
    expect(page.locator("#work noscript p")).to_be_visible()
    expect(page.get_by_role("button", name="Send me a link", exact=True)).to_be_visible()
    context.close()
