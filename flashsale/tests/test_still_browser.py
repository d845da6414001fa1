"""Nothing on a page moves when the connection is lost and comes back, or when the shop pauses and goes on."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from flashsale import scheduling
from flashsale.models import SaleItem
from flashsale.pauses import Why
from flashsale.tests import watching
from flashsale.tests.conftest import MakeSale, MakeShoppers, Visit, attempt, win
from flashsale.tests.pages import address
from flashsale.tests.test_own_browser import stand_by

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
SIZES = [(360, 640), (1280, 900)]
PATIENCE = 60_000
"""Ms: a page that has lost the shop asks ever more slowly."""
Open = Callable[[int, int], tuple[Page, SaleItem]]


@pytest.fixture
def in_line(visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers) -> Open:
    """Open a place in line, with hundreds ahead, in a window of that size."""

    def opened(width: int, height: int) -> tuple[Page, SaleItem]:
        item, crowd = make_sale(quantity=900, rate=1), shoppers(400)
        attempt(item, *crowd)
        page = _open(visit(crowd[-1]), site, item, width, height)
        return page, item

    return opened


@pytest.fixture
def on_standby(visit: Visit, site: str, make_sale: MakeSale, shoppers: MakeShoppers) -> Open:
    """Open a place on standby in a window of that size."""

    def opened(width: int, height: int) -> tuple[Page, SaleItem]:
        item, (ann, bea) = make_sale(quantity=1, standby_size=5), shoppers(2)
        win(item, ann)
        stand_by(item, bea)
        return _open(visit(bea), site, item, width, height), item

    return opened


def _open(page: Page, site: str, item: SaleItem, width: int, height: int) -> Page:
    page.set_viewport_size({"width": width, "height": height})
    watching.watch(page)
    page.goto(site + address(item, "items", str(item.pk)))
    return page


def assert_still(page: Page) -> None:
    """No layout shift was seen by the browser since the page began; two frames later it has told all."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    shifts = watching.shifts(page)
    assert sum(value for _, value in shifts) == 0, shifts


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_lost_connection_and_its_return_move_nothing_on_the_page_of_the_line(
    in_line: Open, width: int, height: int
) -> None:
    page, _ = in_line(width, height)
    page.route("**/gate/**", lambda route: route.abort())
    expect(page.locator("[data-reason]")).to_contain_text("Connection lost at", timeout=PATIENCE)
    page.unroute("**/gate/**")
    expect(page.locator("[data-reason]")).to_have_text(
        "Connected again. Nothing was missed.", timeout=PATIENCE
    )
    assert_still(page)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_a_pause_and_its_end_move_nothing_on_the_page_of_the_line(
    in_line: Open, width: int, height: int
) -> None:
    page, item = in_line(width, height)
    scheduling.pause(sale_id=item.sale_id, why=Why("check", "Crates are being counted."))
    expect(page.locator("[data-pause]")).to_contain_text("Crates are being counted.", timeout=PATIENCE)
    scheduling.resume(sale_id=item.sale_id)
    expect(page.locator("[data-reason]")).to_contain_text("The sale goes on since", timeout=PATIENCE)
    assert_still(page)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_neither_moves_anything_on_the_page_of_standby(on_standby: Open, width: int, height: int) -> None:
    page, item = on_standby(width, height)
    page.route("**/gate/**", lambda route: route.abort())
    expect(page.locator("[data-connection]")).to_contain_text("Connection lost at", timeout=PATIENCE)
    page.unroute("**/gate/**")
    expect(page.locator("[data-connection]")).to_be_hidden(timeout=PATIENCE)
    scheduling.pause(sale_id=item.sale_id, why=Why("check", "Crates are being counted."))
    expect(page.locator("[data-pause]")).to_contain_text("Crates are being counted.", timeout=PATIENCE)
    scheduling.resume(sale_id=item.sale_id)
    expect(page.locator("[data-pause]")).to_be_hidden(timeout=PATIENCE)
    assert_still(page)
