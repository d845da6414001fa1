"""Pictures of every page and state, at three widths and in both schemes: `make screenshots`.

They are written into .data/screenshots/ to be looked at. pytest runs this file only where it is named;
`make screenshots ARGS="-k states"` draws one kind anew, and leaves the others.
"""

import sys
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, ViewportSize

from flashsale.tests import shots
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.shots import Shot
from flashsale.tests.staged import Cast
from shop.up.state import ROOT

FOLDER = ROOT / ".data" / "screenshots"
WIDTHS = {360: 740, 768: 1024, 1440: 900}
SCHEMES = ("light", "dark")
LOAD_ALL = """async () => {
  const images = [...document.images];
  for (const image of images) image.loading = "eager";
  await Promise.all(images.map((image) => image.decode().catch(() => {})));
}"""
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_shop(django_db_setup: None, site: str, browser: Browser) -> None:
    draw(browser, site, shots.shop())


def test_own(django_db_setup: None, site: str, browser: Browser, shoppers: MakeShoppers) -> None:
    draw(browser, site, shots.own(*shoppers(1)))


def test_errors(django_db_setup: None, site: str, browser: Browser) -> None:
    draw(browser, site, shots.errors())


def test_sales(
    django_db_setup: None, site: str, browser: Browser, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    draw(browser, site, shots.sales(make_sale, *shoppers(1)))


def test_states(
    django_db_setup: None, site: str, browser: Browser, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    draw(browser, site, shots.states(Cast(shots.dressed(make_sale), shoppers)))


def draw(browser: Browser, site: str, kind: Iterator[Shot]) -> None:
    """Draw each page of a kind once it is staged; a page that is not what it must be stops it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    cache.clear()
    for number, shot in enumerate(kind, start=1):
        sys.stderr.write(f"\r  {number:3} {shot.name:<40}")
        sys.stderr.flush()
        _take(browser, site, shot)


def _take(browser: Browser, site: str, shot: Shot) -> None:
    page = shots.opened(browser, site, shot)
    if shot.script:
        page.evaluate(LOAD_ALL)
    for width, height in WIDTHS.items():
        page.set_viewport_size(ViewportSize(width=width, height=height))
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=FOLDER / f"{shot.name}-{width}-{scheme}.png", full_page=True)
    page.context.close()
