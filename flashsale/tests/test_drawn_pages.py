"""What axe finds on every page that `make screenshots` draws, and how their fields are.

The states of a sale have `test_states.py`.
"""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, Page

from flashsale.tests import shots
from flashsale.tests.browsing import faults_of_fields, findings
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.shots import CHINESE, Shot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
DESK = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
NARROW = {"viewport": {"width": 320, "height": 640}, "color_scheme": "dark"}
DEAD_LINKS = """() => [...document.querySelectorAll("a:not([aria-current])")]
  .filter((one) => /^$|^[?]next=/.test(one.getAttribute("href") ?? "")).map((one) => one.textContent)"""


def look(page: Page, shot: Shot) -> list[str]:
    found = findings(page) + faults_of_fields(page)
    found += [f"a link to nowhere: {text}" for text in page.evaluate(DEAD_LINKS)]
    page.context.close()
    return [f"{shot.name}: {one}" for one in found]


def look_at_all(browser: Browser, site: str, kind: Iterable[Shot]) -> list[str]:
    """Look at each page, by turns in English, light and wide, and in Chinese, dark and narrow."""
    found = []
    for number, shot in enumerate(kind):
        there = replace(shot, locale=CHINESE, heading="", client=shot.client)
        page, style = (there, NARROW) if number % 2 else (shot, DESK)
        found += look(shots.opened(browser, site, page, **style), page)
    return found


def test_nothing_is_found_on_the_pages_of_the_shop(
    django_db_setup: None, site: str, browser: Browser
) -> None:
    assert look_at_all(browser, site, shots.shop()) == []


def test_nothing_is_found_on_the_pages_of_a_shopper(
    django_db_setup: None, site: str, browser: Browser, shoppers: MakeShoppers
) -> None:
    assert look_at_all(browser, site, shots.own(*shoppers(1))) == []


def test_nothing_is_found_on_the_pages_of_what_went_wrong(
    django_db_setup: None, site: str, browser: Browser
) -> None:
    assert look_at_all(browser, site, shots.errors()) == []


def test_nothing_is_found_on_the_pages_of_sales(
    django_db_setup: None, site: str, browser: Browser, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    assert look_at_all(browser, site, shots.sales(make_sale, *shoppers(1))) == []
