"""Notifications of the device in a real browser: asked for by a press, fired by what cannot wait."""

import re

import pytest
from playwright.sync_api import Page, expect

from flashsale import draining, reservations
from flashsale.models import SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers, Visit, attempt, win
from flashsale.tests.pages import address
from flashsale.tests.test_pages_browser import enter

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
AWAY = """(() => {
  Object.defineProperty(document, "hidden", { get: () => true });
  const Device = window.Notification;
  window.Notification = class extends Device {
    constructor(title, options) {
      super(title, options);
      const told = JSON.parse(sessionStorage.getItem("notified") ?? "[]");
      this.addEventListener("show", () =>
        sessionStorage.setItem("notified", JSON.stringify([...told, `${title}: ${options.body}`])),
      );
    }
  };
})()"""
"""Somebody who looks elsewhere, and what his device has really shown."""


def notified(page: Page) -> list[str]:
    found: list[str] = page.evaluate("JSON.parse(sessionStorage.getItem('notified') ?? '[]')")
    return found


def ask_to_be_told(page: Page) -> None:
    page.get_by_role("button", name="Tell me by notification").click()
    expect(page.locator("[data-notified]")).to_have_text("This device tells you while the page stays open.")
    expect(page.get_by_role("button", name="Stop the notifications")).to_be_focused()


def result(site: str, item: SaleItem) -> str:
    return site + address(item, "items", str(item.pk))


def test_a_turn_is_told_by_notification_to_whoever_asked_for_it(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=90, rate=2), shoppers(40)
    page = visit(crowd[-1])
    page.context.grant_permissions(["notifications"])
    page.add_init_script(AWAY)
    enter(page, site, item)
    attempt(item, *crowd)
    page.goto(result(site, item))
    ask_to_be_told(page)
    expect(page.locator("h1")).to_contain_text("It is yours", timeout=40_000)
    assert any(re.match("Your turn – .*: It is your turn", told) for told in notified(page)), notified(page)


def test_a_promotion_is_told_by_notification(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=5), shoppers(2)
    (rid,) = win(item, ann)
    attempt(item, ben)
    draining.drain_once(sale_id=item.sale_id)
    page = visit(ben)
    page.context.grant_permissions(["notifications"])
    page.add_init_script(AWAY)
    page.goto(result(site, item))
    ask_to_be_told(page)
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    expect(page.locator("h1")).to_contain_text("One came free", timeout=70_000)
    page.wait_for_function("sessionStorage.getItem('notified')?.includes('One came free')")


def test_nobody_is_asked_before_the_press_and_a_device_that_says_no_is_told_of(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=5), shoppers(2)
    win(item, ann)
    attempt(item, ben)
    draining.drain_once(sale_id=item.sale_id)
    page = visit(ben)
    page.add_init_script(
        "window.asked = 0; Notification.requestPermission = async () => { asked += 1; return 'denied'; };"
    )
    page.goto(result(site, item))
    button = page.get_by_role("button", name="Tell me by notification")
    expect(button).to_be_visible()
    assert page.evaluate("asked") == 0
    button.click()
    expect(page.locator("[data-notified]")).to_contain_text("This browser does not allow it.")
    assert page.evaluate("asked") == 1


def test_a_browser_without_notifications_shows_no_button(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=90, rate=1), shoppers(60)
    attempt(item, *crowd)
    page = visit(crowd[-1])
    page.add_init_script("delete window.Notification")
    page.goto(result(site, item))
    expect(page.locator("[data-age]")).to_contain_text(re.compile(r"As of \d\d:\d\d:\d\d"))
    assert page.get_by_role("button", name="Tell me by notification").count() == 0
