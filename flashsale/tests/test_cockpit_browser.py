"""The live page in a browser: it moves by itself, stands still when frozen, and its labels keep apart."""

from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.models import User
from flashsale import operating
from flashsale.cockpit import pushing
from flashsale.models import Sale, SaleItem, Sample
from flashsale.tests.browsing import findings
from flashsale.tests.conftest import Visit, win

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
SHOTS = Path(settings.BASE_DIR) / ".data" / "screenshots"
BOXES = """svg => [...svg.querySelectorAll("text")].map(one => {
  const box = one.getBoundingClientRect();
  return [one.textContent, box.left, box.top, box.right, box.bottom];
})"""


@pytest.fixture
def boss(transactional_db: None) -> User:
    return User.objects.create_superuser("mei@example.com")


def played(item: SaleItem, size: int) -> None:
    """Write the samples of a minute in which `size` units went and everybody pressed."""
    begin = timezone.now() - timedelta(seconds=60)
    rows = []
    for second in range(60):
        taken = min(size, size * second // 30)
        paid = taken * second // 90
        outcomes = {"reserved": taken, "queued": size * second // 10, "slow_down": second // 9}
        if second > 30:
            outcomes["sold_out"] = size * (second - 30)
        rows.append(
            Sample(
                sale=item.sale, at=begin + timedelta(seconds=second), free=size - taken, held=taken - paid,
                paid=paid, returned=0, standby=min(50, second), issued=min(size * 2, size * second // 10),
                served=min(size * 2, size * second // 20), outcomes=outcomes, shoppers=size,
            )
        )  # fmt: skip
    Sample.objects.bulk_create(rows)


def touching(page: Page) -> list[Any]:
    found = []
    for chart in page.locator("svg.chart").all():
        for one, other in combinations(chart.evaluate(BOXES), 2):
            if (
                one[1] < other[3] - 1
                and other[1] < one[3] - 1
                and one[2] < other[4] - 3
                and other[2] < one[4] - 3
            ):
                found.append((one[0], other[0]))
    return found


@pytest.mark.parametrize("size", [10, 1_000, 1_000_000])
def test_charts_of_any_size_are_readable_and_clean(
    visit: Visit, site: str, boss: User, make_sale: Make, size: int
) -> None:
    item = make_sale(quantity=size, standby_size=50, rate=max(1, size // 20))
    played(item, size)
    operating.pause(sale=item.sale, by=boss)
    page = visit(boss)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{site}/admin/flashsale/sale/{item.sale_id}/live/")
    expect(page.locator("svg.chart")).to_have_count(5)
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SHOTS / f"cockpit-live-{size}.png", full_page=True)
    assert touching(page) == []
    assert findings(page, within="main") == []
    if size == 1_000:
        page.evaluate("document.documentElement.classList.add('dark')")
        assert findings(page, within="main") == []
        page.screenshot(path=SHOTS / "cockpit-live-dark.png", full_page=True)


def test_the_page_moves_by_itself_and_stands_still_when_frozen(
    visit: Visit, site: str, boss: User, make_sale: Make, shoppers: Callable[[int], list[User]]
) -> None:
    item, crowd = make_sale(quantity=9), shoppers(3)
    page = visit(boss)
    page.goto(f"{site}/admin/flashsale/sale/{item.sale_id}/live/")
    expect(page.get_by_text("quantity 9 = free 9")).to_be_visible()
    page.locator("summary").first.click()
    page.locator("#freeze").focus()
    win(item, crowd[0])
    expect(page.get_by_text("quantity 9 = free 8 + held 1")).to_be_visible()
    expect(page.locator("details[open]")).to_have_count(1)
    page.get_by_role("button", name="Freeze").click()
    win(item, crowd[1])
    page.wait_for_timeout(2500)
    expect(page.get_by_text("quantity 9 = free 8 + held 1")).to_be_visible()
    page.get_by_role("button", name="Freeze").click()
    expect(page.get_by_text("quantity 9 = free 7 + held 2")).to_be_visible()
    operating.pause(sale=Sale.objects.get(), by=boss)
    expect(page.locator("#cockpit-said")).to_have_text("Paused.")


def test_the_figures_are_pushed_and_nobody_asks_for_them_while_they_come(
    visit: Visit, site: str, boss: User, make_sale: Make, shoppers: Callable[[int], list[User]]
) -> None:
    item, crowd = make_sale(quantity=9), shoppers(2)
    page = visit(boss)
    page.goto(f"{site}/admin/flashsale/sale/{item.sale_id}/live/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/frame/" in request.url else None)
    for second in range(6):
        if second == 2:
            win(item, *crowd)
        assert pushing.tell() == 1
        page.wait_for_timeout(900)
    expect(page.get_by_text("quantity 9 = free 7 + held 2")).to_be_visible()
    assert asked == []
    operating.pause(sale=Sale.objects.get(), by=boss)
    pushing.tell()
    expect(page.locator("#cockpit-said")).to_have_text("Paused.")
    expect(page.get_by_role("link", name="Resume…")).to_be_visible()
    assert len(asked) == 1  # for the buttons, which are its own
    page.wait_for_timeout(5000)
    assert len(asked) > 1  # nothing was pushed: it asks again


def test_pause_is_one_press_and_resume_stands_beside_it(
    visit: Visit, site: str, boss: User, make_sale: Make
) -> None:
    item = make_sale()
    page = visit(boss)
    page.goto(f"{site}/admin/flashsale/sale/{item.sale_id}/live/")
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("was paused at").first).to_be_visible()
    page.get_by_role("link", name="Resume…").click()
    page.get_by_role("button", name="Resume the sale").click()
    expect(page.get_by_text("goes on.").first).to_be_visible()
