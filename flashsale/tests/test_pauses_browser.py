"""A pause on pages that are open: its reason and the time of news come, change, grow late and go."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from flashsale import scheduling
from flashsale.models import SaleItem
from flashsale.pauses import Why
from flashsale.tests.conftest import MakeSale, MakeShoppers, Visit, attempt, win
from flashsale.tests.pages import address
from flashsale.tests.test_pages_browser import enter, is_same_document
from flashsale.tests.watching import said, watch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
SOON = 7


def pause(item: SaleItem) -> None:
    news_at = timezone.now() + timedelta(seconds=SOON)
    scheduling.pause(sale_id=item.sale_id, why=Why("check", "Crates are being counted.", news_at))


def follow_a_pause(page: Page, item: SaleItem) -> None:
    """Pause, let the news grow late, explain, and look at what the open page says each time."""
    told = page.locator("[data-pause]")
    pause(item)
    expect(told).to_have_text(
        re.compile(
            r"The shop paused the sale at \d\d:\d\d UTC. Your place is kept."
            r" The shop is checking something about this sale. Crates are being counted."
            r" There is news by \d\d:\d\d UTC at the latest."
        )
    )
    expect(told).to_contain_text("The news due by", timeout=(SOON + 5) * 1000)
    page.wait_for_timeout(6_000)  # a newer sentence takes the place of one that still waits to be said
    scheduling.explain(sale_id=item.sale_id, why=Why("payment"))
    expect(told).to_contain_text("Payments do not go through at the moment. There is news by")
    expect(told).not_to_contain_text("Crates")


def spoken(page: Page) -> str:
    """Return all that the live regions said, once the last of it was said."""
    page.wait_for_timeout(6_000)
    return " ".join(one.text for one in said(page))


def test_who_waits_is_told_of_a_pause_as_it_goes_on(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=900, rate=2), shoppers(400)
    attempt(item, *crowd)
    page = visit(crowd[-1])
    watch(page)
    page.goto(site + address(item, "items", str(item.pk)))
    expect(page.locator("[data-place]")).to_contain_text(re.compile("39[0-9] people are ahead"))
    page.evaluate("window.sameDocument = true")
    follow_a_pause(page, item)
    expect(page.get_by_role("link", name="Leave the line")).to_be_visible()
    page.wait_for_timeout(6_000)
    scheduling.resume(sale_id=item.sale_id)
    expect(page.locator("[data-reason]")).to_contain_text("The sale goes on since")
    expect(page.locator("[data-pause]")).to_be_hidden()
    assert is_same_document(page)
    heard = spoken(page)
    assert "Crates are being counted." in heard
    assert "The news due by" in heard
    assert "Payments do not go through" in heard
    assert "The sale goes on since" in heard


def test_the_page_of_the_sale_tells_of_a_pause_as_it_goes_on(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    page = visit(bea)
    watch(page)
    enter(page, site, item)
    page.evaluate("window.sameDocument = true")
    follow_a_pause(page, item)
    expect(page.locator("[data-buy]")).to_be_hidden()
    scheduling.resume(sale_id=item.sale_id)
    expect(page.locator("[data-buy]")).to_be_visible()
    expect(page.locator("[data-pause]")).to_be_hidden()
    assert is_same_document(page)
    assert "Crates are being counted." in spoken(page)


def test_whoever_types_what_pays_for_a_unit_is_told_beside_it(
    visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    (rid,) = win(item, bea)
    page = visit(bea)
    page.goto(f"{site}/sales/reservations/{rid}/")
    expect(page.locator("h1")).to_contain_text("It is yours until")
    page.wait_for_timeout(1_500)
    page.locator("summary").first.focus()
    pause(item)
    expect(page.locator("[data-pause]")).to_contain_text("Your deadline stays as it is", timeout=9_000)
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY", "nothing else was replaced"
    scheduling.resume(sale_id=item.sale_id)
    expect(page.locator("[data-pause]")).to_be_hidden(timeout=9_000)
