"""A whole visit to a sale in a real browser: nothing jumps, all is said once, the keyboard is enough."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from django.template import Context, Template
from django.utils import timezone, translation
from playwright.sync_api import Page, expect

from accounts.models import User
from flashsale import reservations, words
from flashsale.models import Reservation, SaleItem
from flashsale.tests import watching
from flashsale.tests.conftest import Visit, attempt, win
from flashsale.tests.pages import address
from flashsale.tests.test_own_browser import give_address, go_by_keyboard, press_by_keyboard
from flashsale.tests.watching import Said

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]
GAP, SLACK = 5000, 200
"""Ms between two polite sentences, and what a timer of a busy browser may be early by."""
LONG = 60_000
NUMBERS = (0, 1, 2, 12_431, 1_000_000)
SPANS = (0, 1, 2, 59, 60, 840, 1320, 5400, 7200, 90_000, 200_000)


def from_the_wait_to_the_payment(page: Page, site: str, item: SaleItem, crowd: list[User]) -> None:
    """Enter before the opening, wait in line, get the turn and the unit, and pay."""
    page.goto(site + address(item, "enter"))
    page.get_by_role("button", name="Enter the sale").click()
    expect(page.get_by_role("button", name="Reserve one for USD 49.00")).to_be_visible(timeout=20_000)
    attempt(item, *crowd)
    page.locator("[data-buy]").click()
    expect(page.locator("h1")).to_have_text("You are in line")
    expect(page.locator("h1")).to_contain_text("It is yours until", timeout=30_000)
    page.wait_for_timeout(GAP + 500)
    page.get_by_role("button", name="Pay USD 53.90").click()
    page.get_by_role("button", name="Pay USD 53.90").click()
    expect(page.locator("main")).to_contain_text("Paid.")


def polite(said: list[Said]) -> list[Said]:
    return [one for one in said if not one.loud]


def test_nothing_jumps_and_what_matters_is_said_once(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd, worker: list[int]
) -> None:
    item = make_sale(quantity=60, rate=4, opens_at=timezone.now() + timedelta(seconds=13))
    bea, *crowd = shoppers(41)
    give_address(bea)
    worker.append(item.sale_id)
    page = visit(bea)
    watching.watch(page)
    from_the_wait_to_the_payment(page, site, item, crowd)
    assert Reservation.objects.get(user=bea).status == "paid"

    shifts = watching.shifts(page)
    told = "; ".join(f"{title}: {value:.4f}" for title, value in shifts)
    assert sum(value for _, value in shifts) <= 0.01, told

    said = watching.said(page)
    assert watching.timers_that_speak(page) == []
    assert all(re.search("[A-Za-z]", one.text) and one.text.endswith(".") for one in said), said
    texts = [one.text for one in said]
    assert len(texts) == len(set(texts)), texts
    loud = [one.text for one in said if one.loud]
    assert sum("It is your turn." in text for text in loud) == 1, loud
    assert sum("It is yours until" in text for text in loud) <= 1, loud  # else the new page begins with it
    assert "The sale opens in 10 seconds." in texts
    assert "The sale is open." in texts
    assert any(text.startswith("Your turn:") or "people are ahead" in text for text in texts), texts
    gaps = [later.at - one.at for one, later in pairwise(polite(said)) if one.page == later.page]
    assert all(gap >= GAP - SLACK for gap in gaps), said
    in_line = [one for one in polite(said) if "ahead" in one.text]
    assert all(later.at - one.at >= 60_000 for one, later in pairwise(in_line)), said


def enter_by_keyboard(page: Page, site: str, item: SaleItem) -> None:
    page.goto(site + address(item))
    press_by_keyboard(page, "Enter the sale")
    expect(page.locator("h1")).to_have_text("Enter the sale")
    press_by_keyboard(page, "Enter the sale")
    expect(page.locator("h1")).to_have_text(item.sale.title)
    page.wait_for_load_state()  # a press before the script is there is a plain form, and leads elsewhere


def pay_by_keyboard(page: Page, user: User) -> None:
    press_by_keyboard(page, "Pay USD 53.90")
    expect(page.locator("h1")).to_have_text("Trial payment")
    press_by_keyboard(page, "Pay USD 53.90")
    expect(page.locator("main")).to_contain_text("Paid.")
    assert Reservation.objects.get(user=user).status == "paid"


def test_the_keyboard_alone_is_enough_from_the_entry_to_the_payment(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd, worker: list[int]
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    give_address(bea)
    worker.append(item.sale_id)
    page = visit(bea)
    enter_by_keyboard(page, site, item)
    press_by_keyboard(page, "Reserve one")
    expect(page.get_by_role("link", name="Go to payment")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("It is yours until")
    pay_by_keyboard(page, bea)


def test_the_keyboard_alone_is_enough_on_standby_too(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd, worker: list[int]
) -> None:
    item, (ann, bea) = make_sale(quantity=1, standby_size=5), shoppers(2)
    give_address(bea)
    (rid,) = win(item, ann)
    worker.append(item.sale_id)
    page = visit(bea)
    page.set_default_timeout(LONG)
    enter_by_keyboard(page, site, item)
    press_by_keyboard(page, "Take a place on standby")
    expect(page.get_by_role("link", name="See your place")).to_be_focused(timeout=LONG)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("You are number 1 on standby", timeout=LONG)
    page.wait_for_load_state()
    go_by_keyboard(page, "Leave standby")
    reservations.give_back(user=ann, rid=rid)
    expect(page.locator("h1")).to_contain_text("One came free: it is yours until", timeout=LONG)
    expect(page.locator("h1")).to_be_focused()  # what had the focus is gone
    pay_by_keyboard(page, bea)


def unspaced(text: str) -> str:
    return "".join(text.split())


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_script_and_server_draw_the_same_numbers_and_lengths_of_time(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd, language: str
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    page = visit(bea)
    page.goto(site + address(item))
    drawn = page.evaluate(
        """async ([language, numbers, spans]) => {
          document.documentElement.lang = language;
          const { number, range, span } = await import("/static/js/wording.js");
          const said = spans.flatMap((seconds) => [span(1000 * seconds), range(1000 * seconds)]);
          return [numbers.map(number), said];
        }""",
        [language, NUMBERS, SPANS],
    )
    with translation.override(language):
        template = Template('{{ number|floatformat:"0g" }}')
        numbers = [template.render(Context({"number": number})) for number in NUMBERS]
        lengths = [timedelta(seconds=seconds) for seconds in SPANS]
        spans = [said for length in lengths for said in (words.span(length), words.span_range(length))]
    assert drawn[0] == numbers
    assert [unspaced(text) for text in drawn[1]] == [unspaced(text) for text in spans]
