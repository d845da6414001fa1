"""What matters reaches a page by push, and is said once: a promotion, its last minute, the end of a wait."""

import logging
import time

import pytest
from playwright.sync_api import Page, expect

from accounts.models import User
from flashsale import draining, reservations
from flashsale.models import SaleItem
from flashsale.tests import watching
from flashsale.tests.conftest import MakeSale, MakeShoppers, Visit, attempt, win
from flashsale.tests.pages import address
from flashsale.tests.test_own_browser import stand_by
from flashsale.tests.test_pages_browser import enter
from flashsale.tests.test_storm_browser import times_of_polls

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
logger = logging.getLogger(__name__)
PATIENCE = 60_000
"""Ms, on a machine that is busy with much else."""
FORGET = "sessionStorage.removeItem('pushed')"
IS_STREAMING = "sessionStorage.getItem('pushed') !== null"


def follow_result(page: Page, site: str, item: SaleItem) -> None:
    """Open the page of what one has, and wait until its stream has brought something."""
    page.goto(f"{site}/sales/")  # a page without a stream: what is remembered from now on is the next one's
    page.evaluate(FORGET)
    page.goto(site + address(item, "items", str(item.pk)))
    page.wait_for_function(IS_STREAMING, timeout=PATIENCE)


def test_a_promotion_and_its_last_minute_are_one_alert_each(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, bea) = make_sale(quantity=1, standby_size=5, pay_within=100), shoppers(2)
    (rid,) = win(item, ann)
    page = visit(bea)
    watching.watch(page)
    enter(page, site, item)
    stand_by(item, bea)
    follow_result(page, site, item)
    expect(page.locator("h1")).to_have_text("You are number 1 on standby")
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    expect(page.locator("h1")).to_contain_text("One came free: it is yours until", timeout=PATIENCE)
    assert ("result", "promoted") in watching.pushed(page)
    expect(page.locator("#say-at-once")).to_have_text("1 minute is left to pay.", timeout=PATIENCE)
    page.reload()  # who comes back is told again, but not alarmed again
    expect(page.locator("#say-politely")).to_contain_text("One came free", timeout=PATIENCE)
    loud = [one.text for one in watching.said(page) if one.loud]
    assert len(loud) == 2, loud
    assert loud[0].startswith("One came free: it is yours until")
    assert loud[1] == "1 minute is left to pay."


def take_all(item: SaleItem, first: list[User]) -> float:
    """Let the first in line take every unit and the place on standby; return just before when (s)."""
    while True:
        now = time.time()
        if {answer.outcome for answer in attempt(item, *first)} == {"reserved", "standby"}:
            return now
        time.sleep(0.2)


def test_whoever_waits_learns_by_push_that_the_last_unit_and_place_are_gone(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea, *crowd) = make_sale(quantity=2, standby_size=1, rate=1), shoppers(300)
    page = visit(bea)
    watching.watch(page)
    enter(page, site, item)
    attempt(item, *crowd, bea)
    follow_result(page, site, item)
    expect(page.locator("h1")).to_have_text("You are in line")
    page.evaluate(FORGET)
    polls = times_of_polls(page)
    gone_at = take_all(item, crowd[:3])
    expect(page.locator("h1")).to_have_text("Sold out", timeout=PATIENCE)
    took = page.evaluate("performance.timeOrigin") - 1000 * gone_at  # it looks again as soon as it is told
    logger.info("The end of the wait reached the page %.0f ms after the last place was taken.", took)
    assert ("state", "") in watching.pushed(page)
    assert polls == [], "it was told, and did not ask"
