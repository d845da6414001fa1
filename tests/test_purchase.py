"""A whole purchase in a browser, from the search to the receipt: by keyboard only, on a phone, in Chinese,
and without script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from shop.orders.models import OutboxMail
from shop.orders.tests.threads import in_thread
from tests.conftest import DESK, PHONE, findings, sideways

pytestmark = pytest.mark.browser
GUEST = {
    "email": "ada@example.com",
    "full_name": "Ada Byron",
    "country": "Germany",
    "line1": "Ringbahnstraße 1",
    "postcode": "12051",
    "city": "Berlin",
}
MOST_TABS = 90
FOCUSED = """(selector) => document.activeElement.matches(selector)"""
FOCUS_SHOWS = """() => {
  const one = document.activeElement;
  const boxes = [one.closest(".option, .radio-card") ?? one];
  const outlines = [...boxes.map((box) => getComputedStyle(box)), getComputedStyle(one, "::after")];
  return one === document.body || outlines.some((style) => style.outlineStyle !== "none");
}"""
SMALLEST = """() => Math.min(...
  [...document.querySelectorAll("main .button, .site-header a, .site-footer button")]
  .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().height))"""


class Mouse:
    """Somebody who points and types; `look` is called on every page."""

    def __init__(self, page: Page, look: Callable[[Page], None] = lambda _page: None) -> None:
        page.set_default_timeout(20_000)
        self.page, self.look = page, look

    def press(self, selector: str) -> None:
        """Press a link or a button, and wait for the page that it leads to."""
        self.look(self.page)
        with self.page.expect_navigation():
            self.reach(selector)

    def reach(self, selector: str) -> None:
        self.page.locator(selector).first.click()

    def fill(self, name: str, text: str) -> None:
        """Fill in a field of the form."""
        if name == "country":
            self.page.select_option("[name=country]", "DE")
        else:
            self.page.fill(f"main [name={name}]", text)


class Keyboard(Mouse):
    """Somebody who has Tab, Enter and letters, and nothing else."""

    def reach(self, selector: str) -> None:
        self._tab_to(selector)
        self.page.keyboard.press("Enter")

    def fill(self, name: str, text: str) -> None:
        self._tab_to(f"main [name={name}]")
        self.page.keyboard.type(text)

    def _tab_to(self, selector: str) -> None:
        for _ in range(MOST_TABS):
            if self.page.evaluate(FOCUSED, selector):
                return
            self.page.keyboard.press("Tab")
            assert self.page.evaluate(FOCUS_SHOWS), self.page.evaluate("document.activeElement.outerHTML")
        raise AssertionError(f"{selector} is not reached by Tab on {self.page.url}")


def buy(hand: Mouse) -> None:
    """From the search to the receipt, as a guest."""
    hand.page.goto("/search/?q=linen+shirt")
    hand.press(".product-card-title a")
    hand.press("main form[action='/cart/add/'] button")
    hand.press("main a[href='/checkout/']")
    for name, text in GUEST.items():
        hand.fill(name, text)
    hand.press("#checkout button[type=submit]")
    hand.press("main form[action$='/pay/'] button[type=submit]")
    hand.press("main button[value=confirmed]")
    expect(hand.page.locator("main .notice-good")).to_be_visible()
    hand.look(hand.page)


def test_by_keyboard_alone_with_the_focus_always_seen(chromium: Browser, shop: str) -> None:
    buy(Keyboard(chromium.new_page(base_url=shop, viewport=DESK)))


def test_on_a_phone_every_button_is_large_and_nothing_is_beside_the_screen(
    chromium: Browser, shop: str
) -> None:
    def look(page: Page) -> None:
        assert not sideways(page), page.url
        assert page.evaluate(SMALLEST) >= 44, page.url

    buy(Mouse(chromium.new_page(base_url=shop, viewport=PHONE, has_touch=True), look))


def test_in_chinese_down_to_the_receipt(chromium: Browser, shop: str) -> None:
    def look(page: Page) -> None:
        assert page.get_attribute("html", "lang") == "zh-hans"
        assert findings(page) == []

    page = chromium.new_page(base_url=shop, viewport=DESK, locale="zh-CN")
    buy(Mouse(page, look))
    assert page.locator("main .notice-title").inner_text() == "已付款。"
    assert "年" in page.locator(".step time").first.inner_text()
    rows = in_thread(lambda: set(OutboxMail.objects.values_list("kind", "language")))
    assert rows == {("received", "zh-hans"), ("paid", "zh-hans")}


def test_without_script(chromium: Browser, shop: str) -> None:
    buy(Mouse(chromium.new_page(base_url=shop, viewport=DESK, java_script_enabled=False)))


def test_the_number_at_the_cart_is_filled_in_on_pages_that_everybody_shares(
    chromium: Browser, shop: str
) -> None:
    page = chromium.new_page(base_url=shop, viewport=DESK)
    hand = Mouse(page)
    page.goto("/search/?q=linen+shirt")
    hand.press(".product-card-title a")
    page.fill("#quantity", "2")
    hand.press("main form[action='/cart/add/'] button")
    page.goto("/")
    expect(page.locator("[data-cart-count]")).to_have_text("2")
    page.goto("/catalogue/")
    expect(page.get_by_role("link", name="Cart (items in it: 2)")).to_be_visible()


def test_what_was_looked_at_is_shown_again_and_can_be_forgotten(chromium: Browser, shop: str) -> None:
    page = chromium.new_page(base_url=shop, viewport=ViewportSize(width=768, height=900))
    for words in ("linen+shirt", "enamel+pot"):
        page.goto(f"/search/?q={words}")
        page.click(".product-card-title a")
        page.wait_for_url(lambda url: "/search/" not in url)  # it is looked at once it is there
    expect(page.locator("[data-recent] a")).to_have_text(["Linen shirt"])
    page.goto("/")
    expect(page.locator("[data-recent] a")).to_have_text(["Enamel pot", "Linen shirt"])
    assert findings(page) == []
    page.click("[data-forget]")
    page.reload()
    expect(page.locator("[data-recent]")).to_be_hidden()
