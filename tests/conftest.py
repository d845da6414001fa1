"""A shop with the demo products, and a browser, for tests that look at whole pages."""

import shutil
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright
from pytest_django.live_server_helper import LiveServer

from shop.catalogue import demo

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PHONE, DESK = ViewportSize(width=360, height=640), ViewportSize(width=1440, height=900)


@pytest.fixture
def shop(transactional_db: None, live_server: LiveServer) -> str:
    """The address of a shop with the demo products in it."""
    demo.load()
    return live_server.url


@pytest.fixture
def chromium(shop: str) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("There is no Chromium here.")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM) as launched:
        yield launched


def sideways(page: Page) -> bool:
    """Whether a page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > innerWidth"))


def findings(page: Page) -> list[str]:
    """What axe finds on a page (WCAG 2.2 A, AA and best practice), and whether it scrolls sideways."""
    found = [f"{finding['id']} at {page.url}" for finding in Axe().run(page).response["violations"]]
    return found + [f"scrolls sideways at {page.url}"] * sideways(page)
