"""What a shopper has, in a real browser: the page moves, the focus stays, and nothing moves the deadline."""

import re
import time

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from accounts.models import Address, User
from flashsale import draining, reservations, standby
from flashsale.models import Reservation, SaleItem
from flashsale.tests.browsing import lend_session
from flashsale.tests.conftest import MakeSale, MakeShoppers, Visit, attempt, let_the_deadline_pass, pay, win
from flashsale.tests.pages import address, logged_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
A_LOOK = 9_000
"""Ms within which a page without the stream has looked again."""


def result(item: SaleItem) -> str:
    return address(item, "items", str(item.pk))


def stand_by(item: SaleItem, *users: User) -> None:
    attempt(item, *users)
    draining.drain_once(sale_id=item.sale_id)


def give_address(user: User) -> None:
    parts = {"full_name": "Bea Low", "country": "GB", "line1": "1 Mill Lane", "postcode": "SW1A 1AA"}
    Address.objects.create(user=user, is_default=True, city="London", **parts)


def go_by_keyboard(page: Page, name: str) -> None:
    """Go with Tab to the button or link of that name, and see that it shows the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        if name in page.evaluate("document.activeElement.textContent").strip():
            break
    else:
        pytest.fail(f"Tab does not reach {name}")
    assert page.evaluate("document.activeElement.matches(':focus-visible')")


def press_by_keyboard(page: Page, name: str) -> None:
    """Go with Tab to the button or link of that name and press Enter."""
    go_by_keyboard(page, name)
    page.keyboard.press("Enter")


def test_the_page_of_standby_moves_up_and_the_focus_stays(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=1, standby_size=5), shoppers(3)
    win(item, crowd[0])
    stand_by(item, *crowd[1:])
    page = visit(crowd[2])
    page.goto(site + result(item))
    page.get_by_role("button", name="Leave standby").focus()
    standby.leave(user=crowd[1], item=item)
    expect(page.locator("h1")).to_have_text("You are number 1 on standby", timeout=A_LOOK)
    expect(page.get_by_role("button", name="Leave standby")).to_be_focused()
    expect(page.locator("#say-politely")).to_have_text("You are number 1 on standby.")


def test_a_promotion_is_declined_by_one_press_and_goes_on_within_a_second(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers, worker: list[int]
) -> None:
    item, (ann, ben, cid) = make_sale(quantity=1, standby_size=5), shoppers(3)
    (rid,) = win(item, ann)
    stand_by(item, ben, cid)
    reservations.give_back(user=ann, rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    page = visit(ben)
    page.goto(site + result(item))
    expect(page.locator("h1")).to_contain_text("One came free: it is yours until")
    worker.append(item.sale_id)
    began = time.monotonic()
    page.get_by_role("button", name="Decline").click()
    while not Reservation.objects.filter(user=cid, status="held").exists():
        assert time.monotonic() - began < 1
    expect(page.locator("h1")).to_have_text("You declined it")


def test_all_are_paid_is_told_to_an_open_page(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=5), shoppers(2)
    (rid,) = win(item, ann)
    stand_by(item, ben)
    page = visit(ben)
    page.goto(site + result(item))
    page.get_by_role("button", name="Leave standby").focus()
    pay(rid)
    expect(page.locator("h1")).to_have_text("All are paid, standby is closed", timeout=A_LOOK)
    expect(page.locator("h1")).to_be_focused()
    expect(page.locator("#say-at-once")).to_have_text("All are paid, standby is closed.")


def test_whoever_is_ready_pays_by_the_keyboard_with_nothing_to_fill_in(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    give_address(bea)
    (rid,) = win(item, bea)
    page = visit(bea)
    page.goto(f"{site}/sales/reservations/{rid}/")
    assert page.locator("main :is(input:not([type=hidden]), select, textarea)").count() == 0
    press_by_keyboard(page, "Pay USD 53.90")
    expect(page.locator("h1")).to_have_text("Trial payment")
    press_by_keyboard(page, "Pay USD 53.90")
    expect(page.locator("h1")).to_contain_text("Order ")
    assert Reservation.objects.get(rid=rid).status == "paid"


def test_a_first_timer_fills_in_at_most_eight_fields(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    page = visit(bea)
    page.goto(f"{site}/sales/reservations/{rid}/")
    press_by_keyboard(page, "Say where it goes, and pay USD 53.90")
    expect(page.locator("h1")).to_have_text("Where does it go?")
    assert page.locator("main form.form :is(input:not([type=hidden]), select)").count() <= 8
    for name, value in (("Full name", "Bea Low"), ("Address", "1 Mill Lane"), ("Postcode", "SW1A 1AA")):
        page.get_by_label(re.compile(f"^{name}")).fill(value)
    page.get_by_label("Country").select_option("GB")
    page.get_by_label("City").fill("London")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Pay USD 53.90")
    press_by_keyboard(page, "Pay USD 53.90")
    expect(page.locator("h1")).to_have_text("Trial payment")


def test_nothing_a_shopper_does_moves_the_deadline(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers, context: BrowserContext
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    first = visit(bea)
    first.goto(f"{site}/sales/reservations/{rid}/")
    shown = first.locator("[data-clock]").get_attribute("data-until")
    browser = context.browser
    assert browser is not None
    other = browser.new_context()
    lend_session(logged_in(bea), other, site)
    second = other.new_page()
    second.add_init_script("const real = Date.now; Date.now = () => real() - 3600000;")
    for page in (second, first):
        page.goto(site + result(item))
        page.reload()
        assert page.locator("[data-clock]").get_attribute("data-until") == shown
    here, there = (page.locator("[data-clock]").inner_text() for page in (first, second))
    seconds = [60 * int(clock[:2]) + int(clock[3:]) for clock in (here, there)]
    assert abs(seconds[0] - seconds[1]) <= 1
    other.close()


def test_the_end_of_the_time_is_told_and_the_page_moves_on(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea,) = make_sale(pay_within=5), shoppers(1)
    (rid,) = win(item, bea)
    page = visit(bea)
    page.goto(f"{site}/sales/reservations/{rid}/")
    page.get_by_text("Give it back").first.click()
    expect(page.locator("#say-at-once")).to_have_text("The time to pay is over.", timeout=8_000)
    expect(page.locator("h1")).to_contain_text("The time to pay ended at", timeout=8_000)
    let_the_deadline_pass(rid)
    reservations.expire_due()
    expect(page.locator("main")).to_contain_text("Nothing was charged.", timeout=A_LOOK)
    expect(page).to_have_title(re.compile("^Expired – "))


def test_a_lost_connection_is_told_and_so_is_its_return(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1, standby_size=5), shoppers(2)
    win(item, ann)
    stand_by(item, ben)
    page = visit(ben)
    page.goto(site + result(item))
    note = page.locator("[data-connection]")
    expect(note).to_be_hidden()
    page.route("**/gate/**", lambda route: route.abort())
    expect(note).to_contain_text("Connection lost at ", timeout=20_000)
    expect(note).to_contain_text("Your place and your deadline are kept on our side")
    page.unroute("**/gate/**")
    expect(note).to_be_hidden(timeout=40_000)
    expect(page.locator("#say-politely")).to_have_text("Connected again. Nothing was missed.", timeout=10_000)
