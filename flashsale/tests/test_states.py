"""Each state of a sale's pages, in a real browser and without script."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.conf import settings
from playwright.sync_api import Page, ViewportSize, expect

from flashsale.tests.browsing import faults_of_fields, findings
from flashsale.tests.conftest import Show
from flashsale.tests.pages import browser_of
from flashsale.tests.staged import Cast, Staged
from flashsale.tests.states import STATES, running
from shop.up.state import ROOT

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PICTURES = ROOT / ".data" / "artefacts"
PHONE, DESK = ViewportSize(width=360, height=640), ViewportSize(width=1280, height=900)
NARROW = ViewportSize(width=320, height=256)
SMALL_TARGETS = """() => [...document.querySelectorAll('main a, main button, main input, main summary')]
  .filter((one) => one.checkVisibility() && !one.closest('p, li, dd, label') && !one.matches('.vh'))
  .map((one) => [one.textContent.trim() || one.name, one.getBoundingClientRect()])
  .filter(([, box]) => box.width < 24 || box.height < 24)
  .map(([text]) => text)"""
MAIN_ACTION_HEIGHT = """() => Math.min(...[...document.querySelectorAll('main .button')]
  .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().height))"""
BARE_PICTURES = "() => [...document.images].filter((one) => !one.width || !one.getAttribute('height')).length"
WIDE_LETTERS = (
    "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }"
)
TWICE_THE_SIZE = "html { font-size: 200% !important }"
CLIPPED = """() => [...document.querySelectorAll('main *')]
  .filter((one) => one.checkVisibility() && !one.closest('.vh, svg, progress, select, input, audio'))
  .filter((one) => getComputedStyle(one).overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1)
  .map((one) => one.outerHTML.slice(0, 80))"""
ON_TOP = """(one) => {
  const box = one.getClientRects()[0];
  const found = document.elementFromPoint(box.x + box.width / 2, box.y + Math.min(box.height / 2, 12));
  return box.x >= 0 && box.right <= innerWidth && found !== null && one.contains(found);
}"""
"""Whether the first line of something is on the screen, and nothing stands in front of it."""
MOST_TABS = 60
all_states = pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def assert_whole(page: Page) -> None:
    """Nothing is beside the screen, and no letter is cut off."""
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")
    assert page.evaluate(CLIPPED) == []


def assert_reached(page: Page, staged: Staged) -> None:
    """The heading can be read, and the Tab key alone leads to the next action and shows it."""
    heading = page.locator("h1")
    heading.scroll_into_view_if_needed()
    assert heading.evaluate(ON_TOP)
    action = page.locator("main").locator("a, button").filter(has_text=staged.action).first
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if action.evaluate("(one) => one === document.activeElement"):
            break
    else:
        pytest.fail(f"Tab does not lead to “{staged.action}”.")
    assert action.evaluate(ON_TOP)


@all_states
def test_a_state_is_there_after_a_reload_and_axe_finds_nothing(
    state: Callable[[Cast], Staged], cast: Cast, show: Show
) -> None:
    staged = state(cast)
    page = show(staged, viewport=PHONE, bypass_csp=True)  # for the sheets that a reader brings
    expect(page.locator(staged.shows)).to_be_visible(timeout=20_000)
    assert re.search(staged.heading, heading(page))
    assert page.get_by_text(staged.action, exact=False).first.is_visible()
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"state-{state.__name__}-phone.png", full_page=True)
    found = findings(page) + faults_of_fields(page)
    assert page.evaluate(SMALL_TARGETS) == []
    assert page.evaluate(MAIN_ACTION_HEIGHT) >= 44
    assert page.evaluate(BARE_PICTURES) == 0
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(DESK)
    found += findings(page)
    page.emulate_media(color_scheme="light")
    page.screenshot(path=PICTURES / f"state-{state.__name__}-desk.png")
    page.set_viewport_size(NARROW)
    assert_whole(page)
    assert_reached(page, staged)
    page.add_style_tag(content=WIDE_LETTERS)
    assert_whole(page)
    page.set_viewport_size(DESK)
    page.add_style_tag(content=TWICE_THE_SIZE)
    assert_whole(page)
    page.reload()
    assert re.search(staged.heading, heading(page))
    page.context.add_cookies([{"name": settings.LANGUAGE_COOKIE_NAME, "value": "zh-hans", "url": page.url}])
    page.reload()
    assert page.locator("html").get_attribute("lang") == "zh-hans"
    found += findings(page)
    assert found == []


def test_a_press_that_is_on_its_way_is_told_within_the_edge_at_four_hundred_percent(
    cast: Cast, show: Show
) -> None:
    page = show(replace(running(cast), unanswered="**/attempt"), viewport=NARROW)
    page.locator("[data-buy]").first.click()
    for part in (page.locator("[data-told] > *").first, page.locator("h1")):
        expect(part).to_be_visible(timeout=20_000)
        part.scroll_into_view_if_needed()
        assert part.evaluate(ON_TOP)
    assert_whole(page)


@all_states
def test_a_state_says_and_offers_the_same_without_script(
    state: Callable[[Cast], Staged], cast: Cast, show: Show
) -> None:
    staged = state(cast)
    page = show(staged, viewport=PHONE, java_script_enabled=False)
    assert re.search(staged.heading, heading(page))
    assert page.get_by_text(staged.action, exact=False).first.is_visible()
    # In the raw page: a parser with script leaves out what stands in <noscript>.
    client = browser_of(staged)
    response = client.get(staged.path)
    has_refresh = 'http-equiv="refresh"' in response.content.decode() or "Refresh" in response
    assert has_refresh == staged.looks_again
    if staged.looks_again:
        assert "Stop refreshing" in response.content.decode()
        assert (
            'http-equiv="refresh"'
            not in client.get(f"{staged.path}{'&' if '?' in staged.path else '?'}refresh=no").content.decode()
        )
