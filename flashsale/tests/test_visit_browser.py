"""A whole visit to a sale in a real browser: nothing jumps, all is said once, the keyboard is enough."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.template import Context, Template
from django.utils import translation
from playwright.sync_api import expect

from accounts.models import User
from flashsale import words
from flashsale.models import Reservation, SaleItem
from flashsale.tests.conftest import Visit
from flashsale.tests.pages import address
from flashsale.tests.test_own_browser import give_address, press_by_keyboard

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]
NUMBERS = (0, 1, 2, 12_431, 1_000_000)
SPANS = (0, 1, 2, 59, 60, 840, 1320, 5400, 7200, 90_000, 200_000)


def test_the_keyboard_alone_is_enough_from_the_entry_to_the_payment(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd, worker: list[int]
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    give_address(bea)
    worker.append(item.sale_id)
    page = visit(bea)
    page.goto(site + address(item))
    press_by_keyboard(page, "Enter the sale")
    expect(page.locator("h1")).to_have_text("Enter the sale")
    press_by_keyboard(page, "Enter the sale")
    expect(page.locator("h1")).to_have_text(item.sale.title)
    press_by_keyboard(page, "Reserve one")
    expect(page.get_by_role("link", name="Go to payment")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("It is yours until")
    press_by_keyboard(page, "Pay USD 53.90")
    expect(page.locator("h1")).to_have_text("Trial payment")
    press_by_keyboard(page, "Pay USD 53.90")
    expect(page.locator("main")).to_contain_text("Paid.")
    assert Reservation.objects.get(user=bea).status == "paid"


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
          const { number, span } = await import("/static/js/wording.js");
          return [numbers.map(number), spans.map((seconds) => span(1000 * seconds))];
        }""",
        [language, NUMBERS, SPANS],
    )
    with translation.override(language):
        template = Template('{{ number|floatformat:"0g" }}')
        numbers = [template.render(Context({"number": number})) for number in NUMBERS]
        spans = [words.span(timedelta(seconds=seconds)) for seconds in SPANS]
    assert drawn[0] == numbers
    assert [text.replace(" ", "") for text in drawn[1]] == [text.replace(" ", "") for text in spans]
