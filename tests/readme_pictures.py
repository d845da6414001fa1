"""Draw the pictures of the README from the real pages: `.venv/bin/python -m tests.readme_pictures`."""

import shutil
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

from shop.up.state import ROOT
from tests.running import Shop, running_shop
from tests.shoppers import PATIENCE, Shopper

FOLDER = ROOT / "docs" / "images"
DESK = ViewportSize(width=1280, height=800)
SHOPPERS = 60
SALE = "demo-1"


def draw(shop: Shop) -> None:
    """Let some shoppers into the demo sale of 100 and take pictures while the rest is still to be had."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium) as browser:
        nora = Shopper(browser, shop, "Nora")
        nora.page.set_viewport_size(DESK)
        nora.sign_up()
        nora.enter(SALE)
        shop.manage("crowd", "--shoppers", str(SHOPPERS), "--seconds", "2")
        nora.page.goto(f"/sales/{SALE}/")
        expect(nora.page.get_by_text("40 of 100 left").first).to_be_visible(timeout=PATIENCE)
        shoot(nora.page, "sale")
        shop.manage("demo", "--opens-in", "5400", "--quantity", "100")
        shoot(visitor(browser, shop, "/", viewport=DESK), "home")
        shoot(visitor(browser, shop, "/catalogue/1/", viewport=DESK, color_scheme="dark"), "product-dark")
        mei = visitor(browser, shop, "/sales/demo-2/", viewport=DESK, locale="zh-CN")
        shoot(mei, "sale-chinese")


def visitor(browser: Browser, shop: Shop, path: str, **looks: Any) -> Page:
    """Open a page as somebody who is new here, and wait for its pictures."""
    page = browser.new_page(base_url=shop.url, **looks)
    page.goto(path, wait_until="networkidle")
    return page


def shoot(page: Page, name: str) -> None:
    """Take the picture and shrink it."""
    picture = FOLDER / f"{name}.png"
    page.screenshot(path=picture)
    shrink(picture)


def shrink(picture: Path) -> None:
    """Keep 128 colours: the pages are drawn with a few dozen."""
    with Image.open(picture) as full:
        full.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    with running_shop() as running:
        draw(running)
