"""A page that nobody looks at: its turn comes in time, and what was missed is there on the next look."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from accounts.models import User
from flashsale import scheduling
from flashsale.models import SaleItem
from flashsale.tests.browsing import serve_joined
from flashsale.tests.conftest import MakeSale, MakeShoppers, Visit, attempt
from flashsale.tests.pages import address
from flashsale.tests.test_pages_browser import enter

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
LONG_OUT_OF_SIGHT = """(() => {
  window.isAway = true;
  Object.defineProperty(document, "hidden", { get: () => window.isAway });
  for (const name of ["setTimeout", "setInterval"]) {
    const plain = window[name].bind(window);
    window[name] = (act, ms = 0, ...rest) => plain(act, ms < 1000 ? ms : Math.max(60000, ms), ...rest);
  }
})()"""
"""What a browser does to a page that was out of sight for five minutes: timers come once a minute."""
LOOK_AGAIN = "(() => { window.isAway = false; document.dispatchEvent(new Event('visibilitychange')); })()"


def cut(route: Route) -> None:
    """Let a request fail."""
    route.abort()


def wait_out_of_sight(page: Page, site: str, item: SaleItem, bea: User, crowd: list[User]) -> None:
    """Open the page of the line in a browser that nobody looks at, its turn in some seconds."""
    enter(page, site, item)
    attempt(item, *crowd, bea)
    page.add_init_script(LONG_OUT_OF_SIGHT)
    page.goto(site + address(item, "items", str(item.pk)))
    expect(page.locator("h1")).to_have_text("You are in line")


def test_the_turn_of_a_page_that_nobody_looks_at_comes_in_time(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea, *crowd) = make_sale(quantity=200, rate=1), shoppers(13)
    page = visit(bea)
    serve_joined(page)
    wait_out_of_sight(page, site, item, bea, crowd)
    expect(page.locator("h1")).to_contain_text("It is yours", timeout=30_000)


def test_control_without_the_worker_it_comes_when_somebody_looks(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea, *crowd) = make_sale(quantity=200, rate=1), shoppers(9)
    page = visit(bea)
    page.route("**/static/js/waker.js", cut)
    wait_out_of_sight(page, site, item, bea, crowd)
    page.wait_for_timeout(15_000)
    assert page.locator("h1").inner_text() == "You are in line"
    page.evaluate(LOOK_AGAIN)
    expect(page.locator("h1")).to_contain_text("It is yours", timeout=10_000)


def test_whoever_looks_again_sees_what_has_changed_without_a_stream(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    page = visit(bea)
    page.add_init_script(LONG_OUT_OF_SIGHT)
    page.route("**/events", cut)
    enter(page, site, item)
    expect(page.locator("[data-buy]")).to_be_visible()
    page.wait_for_timeout(2_000)
    scheduling.pause(sale_id=item.sale_id)
    page.evaluate(LOOK_AGAIN)
    expect(page.locator("[data-pause]")).to_contain_text(re.compile("The shop paused the sale at"))
