"""What Chromium measures on the shop's pages: on this machine's own network, and on a slow phone's.

`make screenshots` prints it and keeps it in .data/web-vitals.json; pytest runs this only where it is named.
Times are told and never judged; only what moves is: a page whose parts jump is wrong on any machine.
"""

import json
import sys
from typing import Any, NamedTuple

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, BrowserContext, Page

from accounts.models import User
from flashsale.tests.browsing import lend_session
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.pages import logged_in
from shop.catalogue import demo
from shop.catalogue.models import Product, Variant
from shop.orders.models import Cart
from shop.up.state import ROOT

FILE = ROOT / ".data" / "web-vitals.json"
PHONE = {"width": 360, "height": 740}
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1_600_000 / 8,
    "uploadThroughput": 750_000 / 8,
}
"""Lighthouse's slow 4G: 150 ms there and back, 1.6 Mbit/s down; with it a processor four times as slow."""
OBSERVE = """
  window.seen = { shift: 0, paint: 0, press: 0 };
  const observe = (type, note, more) => new PerformanceObserver((list) => list.getEntries().forEach(note))
    .observe({ type, buffered: true, ...more });
  observe("layout-shift", (one) => { if (!one.hadRecentInput) seen.shift += one.value; });
  observe("largest-contentful-paint", (one) => { seen.paint = one.startTime; });
  observe("event", (one) => { if (one.interactionId) seen.press = Math.max(seen.press, one.duration); },
    { durationThreshold: 16 });
"""
SETTLED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 300)))"


class Measured(NamedTuple):
    """Of one page: largest paint (ms) near and slow, press to next paint (ms, in steps of 8), what moved."""

    page: str
    near: float
    slow: float
    press: float
    shift: float


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_what_people_wait_for_is_told_and_nothing_moves(
    django_db_setup: None, site: str, browser: Browser, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    demo.load()
    cache.clear()
    (bea,) = shoppers(1)
    cart = Cart.objects.create(user=bea)
    cart.lines.create(variant=Variant.objects.filter(stock__gt=2)[0], quantity=1)
    pages: dict[str, tuple[str, User | None]] = {
        "home": ("/", None),
        "category": ("/catalogue/?category=lamps", None),
        "search": ("/search/?q=lamp", None),
        "product": (Product.objects.get(handle="arc-desk-lamp").get_absolute_url(), None),
        "sale": (make_sale().sale.get_absolute_url(), None),
        "cart": ("/cart/", bea),
        "checkout": ("/checkout/", bea),
    }
    found = [_measure(browser, site, name, *where) for name, where in pages.items()]
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps([one._asdict() for one in found], indent=1))
    _tell(found)
    assert [one for one in found if one.shift > 0.01] == []


def _measure(browser: Browser, site: str, name: str, path: str, user: User | None) -> Measured:
    near, slow = (_visit(browser, site, path, user, is_slow=is_slow) for is_slow in (False, True))
    return Measured(name, near["paint"], slow["paint"], slow["press"], max(near["shift"], slow["shift"]))


def _visit(browser: Browser, site: str, path: str, user: User | None, *, is_slow: bool) -> dict[str, Any]:
    context = browser.new_context(base_url=site, viewport=PHONE)  # type: ignore[arg-type]
    if user:
        lend_session(logged_in(user), context, site)
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(OBSERVE)
    if is_slow:
        _slow_down(context, page)
    page.goto(path, wait_until="networkidle")
    _press(page)
    seen: dict[str, Any] = page.evaluate("seen")
    context.close()
    return seen


def _slow_down(context: BrowserContext, page: Page) -> None:
    devtools = context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOW)
    devtools.send("Emulation.setCPUThrottlingRate", {"rate": 4})


def _press(page: Page) -> None:
    """Press what leads nowhere: letters into the first field, Tab, and each choice of the page."""
    for field in page.locator("input:visible:is([type=text], [type=search], [type=email])").all()[:1]:
        field.press_sequentially("lamp")
        page.keyboard.press("Tab")
    for choice in page.locator("main label:has(input[type=radio]:not(:disabled)):visible").all()[:3]:
        choice.click()
    page.evaluate(SETTLED)


def _tell(found: list[Measured]) -> None:
    lines = ["", f"{'page':10} {'LCP ms':>8} {'LCP slow 4G, 4x CPU':>20} {'press ms, 4x CPU':>17} {'CLS':>7}"]
    lines += [
        f"{one.page:10} {one.near:8.0f} {one.slow:20.0f} {one.press:17.0f} {one.shift:7.4f}" for one in found
    ]
    sys.stderr.write("\n".join(lines) + "\n")
