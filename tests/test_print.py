"""An order on paper."""

import re

import pytest
from playwright.sync_api import Browser

from shop.catalogue.models import Variant
from shop.orders import access
from shop.orders.tests.conftest import make_order
from tests.conftest import DESK

SCREEN_ONLY = ".site-header, .site-footer, .button, .clock, .actions, .skip-link"


@pytest.fixture
def path(shop: str) -> str:
    """The address of an order of three lines, as it stands in its mail."""
    variants = list(Variant.objects.filter(stock__gt=2)[:3])
    order = make_order(variants[0])
    for variant in variants[1:]:
        order.lines.create(
            variant=variant, title=str(variant), sku=variant.sku, price=variant.price, quantity=1
        )
    return access.path(order)


@pytest.mark.browser
def test_an_order_of_three_lines_is_one_page_with_its_dates_and_nothing_to_press(
    shop: str, path: str, chromium: Browser
) -> None:
    page = chromium.new_page(base_url=shop, viewport=DESK)
    page.goto(path)
    page.emulate_media(media="print")
    shown = f"[...document.querySelectorAll('{SCREEN_ONLY}')].filter((one) => one.checkVisibility()).length"
    assert page.evaluate(shown) == 0
    text = page.locator("main").inner_text()
    assert re.search(r"Order \d{4}-\d{5}", text)
    assert re.search(r"\d{1,2} \w+ \d{4}, \d{2}:\d{2} UTC", text)
    assert re.search(r"until .*\d{2}:\d{2} UTC", text)
    assert len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) == 1
