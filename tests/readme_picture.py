"""Draw the picture of the README from the real page: `.venv/bin/python -m tests.readme_picture`."""

import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import ViewportSize, expect, sync_playwright

from shop.up.state import ROOT
from tests.running import Shop, running_shop
from tests.shoppers import PATIENCE, Shopper

PICTURE = ROOT / "docs" / "images" / "sale.png"
SIZE = ViewportSize(width=1280, height=800)
SHOPPERS = 60
SALE = "demo-1"


def draw(shop: Shop, picture: Path) -> None:
    """Let some shoppers into the demo sale of 100 and take a picture while the rest is still to be had."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium) as browser:
        nora = Shopper(browser, shop, "Nora")
        nora.page.set_viewport_size(SIZE)
        nora.sign_up()
        nora.enter(SALE)
        shop.manage("crowd", "--shoppers", str(SHOPPERS), "--seconds", "2")
        nora.page.goto(f"/sales/{SALE}/")
        expect(nora.page.get_by_text("40 of 100 left").first).to_be_visible(timeout=PATIENCE)
        nora.page.screenshot(path=picture)


def shrink(picture: Path) -> None:
    """Keep 128 colours: the page is drawn with a few dozen."""
    with Image.open(picture) as full:
        full.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(picture, optimize=True)


if __name__ == "__main__":
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    with running_shop() as running:
        draw(running, PICTURE)
    shrink(PICTURE)
