"""The pages of a sale in a real browser, with the real gate behind them."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from flashsale import draining, reservations, stock
from flashsale.models import SaleItem
from flashsale.tests.browsing import findings
from flashsale.tests.conftest import Visit, attempt, win
from flashsale.tests.pages import address, change

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]
AN_HOUR_AHEAD = "const real = Date.now; Date.now = () => real() + 3600000;"


def enter(page: Page, site: str, item: SaleItem) -> None:
    page.goto(site + address(item, "enter"))
    page.get_by_role("button", name="Enter the sale").click()
    page.wait_for_url(site + address(item))
    page.evaluate("window.sameDocument = true")


def is_same_document(page: Page) -> bool:
    return bool(page.evaluate("window.sameDocument === true"))


def test_a_press_wins_without_a_reload_and_the_page_moves_on_by_itself(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea,) = make_sale(quantity=3), shoppers(1)
    page = visit(bea)
    enter(page, site, item)
    page.get_by_role("button", name="Reserve one for USD 49.00").click()
    expect(page.locator("[data-told]")).to_contain_text("It is yours until")
    expect(page).to_have_title(re.compile("^Yours – "))
    expect(page.locator("#say-at-once")).to_contain_text("It is yours until")
    assert is_same_document(page)
    page.get_by_role("link", name="Go to payment").click()
    expect(page.locator("h1")).to_contain_text("Your order is being prepared")
    draining.drain_once(sale_id=item.sale_id)
    expect(page.locator("h1")).to_contain_text("It is yours until")
    expect(page.get_by_role("link", name="Say where it goes, and pay USD 53.90")).to_be_visible()


def test_the_sale_opens_by_the_clock_of_the_shop_whatever_the_device_says(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea,) = make_sale(opens_at=timezone.now() + timedelta(seconds=9)), shoppers(1)
    page = visit(bea)
    page.add_init_script(AN_HOUR_AHEAD)
    enter(page, site, item)
    expect(page.locator("[data-clock]")).to_have_text(re.compile("^00:0[0-9]$"))
    expect(page.locator("[data-clock-off]")).to_contain_text(re.compile("is off by (01:00:0|59:5)"))
    button = page.get_by_role("button", name="Reserve one for USD 49.00")
    expect(button).to_be_hidden()
    expect(button).to_be_visible(timeout=12_000)
    assert timezone.now() >= item.sale.opens_at - timedelta(milliseconds=100)
    button.click()
    expect(page.locator("[data-told]")).to_contain_text("It is yours until")
    assert is_same_document(page)


def test_a_button_counts_once_until_the_answer_or_five_seconds(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    page = visit(bea)
    enter(page, site, item)
    sent = []
    page.route("**/attempt", lambda route: sent.append(route.request.url))  # nobody ever answers
    button = page.locator("[data-buy]")
    button.click()
    expect(button).to_have_attribute("aria-disabled", "true")
    button.click(force=True)
    late = "Still checking. You may press again; that is safe."
    expect(page.locator("[data-told]")).to_contain_text(late, timeout=7_000)
    assert len(sent) == 1
    assert button.get_attribute("aria-disabled") is None


def test_what_is_left_and_a_pause_reach_an_open_page(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea, rival) = make_sale(quantity=1, standby_size=1), shoppers(2)
    page = visit(bea)
    enter(page, site, item)
    win(item, rival)
    expect(page.get_by_role("button", name="Take a place on standby")).to_be_visible()
    stock.run(stock.pause(item.sale_id, paused=True))
    expect(page.locator("[data-box]")).to_contain_text("The shop has paused the sale. Your place is kept.")
    expect(page.locator("[data-buy]")).to_be_hidden()
    assert is_same_document(page)


def test_a_promotion_reaches_the_page_of_whoever_stands_by(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea, rival) = make_sale(quantity=1, standby_size=1), shoppers(2)
    (rid,) = win(item, rival)
    attempt(item, bea)
    page = visit(bea)
    page.goto(site + address(item, "items", str(item.pk)))
    expect(page.locator("h1")).to_have_text("You are number 1 on standby")
    page.evaluate("window.sameDocument = true")
    reservations.give_back(user=rival, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    expect(page.locator("h1")).to_contain_text("One came free: it is yours until", timeout=15_000)
    assert page.url.endswith(f"/sales/reservations/{item.pk}-1-2/")
    assert is_same_document(page)


def test_the_clock_can_be_hidden_and_stays_hidden(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea,) = make_sale(opens_at=timezone.now() + timedelta(minutes=20)), shoppers(1)
    page = visit(bea)
    page.goto(site + address(item))
    page.get_by_role("button", name="Hide the clock").click()
    expect(page.locator("[data-clock]")).to_be_hidden()
    page.reload()
    expect(page.locator("[data-clock]")).to_be_hidden()
    page.get_by_role("button", name="Show the clock").click()
    expect(page.locator("[data-clock]")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 360), ("dark", 1440)])
def test_axe_finds_nothing_on_the_pages_of_a_sale(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd, scheme: str, width: int
) -> None:
    bea, rival = shoppers(2)
    held, waited = make_sale(), make_sale(quantity=1, standby_size=1)
    coming = make_sale(opens_at=timezone.now() + timedelta(minutes=20))
    asked, refused = make_sale(question="Which wood?", answers="Oak"), make_sale(min_level=9)
    change(asked.sale, captcha=True)
    (rid,) = win(held, bea)
    attempt(waited, rival, bea)
    draining.drain_once(sale_id=waited.sale_id)
    page = visit(bea)
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.set_viewport_size({"width": width, "height": 740})
    found = []
    enter(page, site, make_sale())
    found += findings(page)
    for path in (
        "/sales/",
        address(coming),
        address(held),
        address(asked, "enter"),
        address(refused, "enter"),
        address(waited, "items", str(waited.pk)),
        f"/sales/reservations/{rid}/",
        "/sales/reservations/",
    ):
        page.goto(site + path)
        found += findings(page)
    assert found == []
