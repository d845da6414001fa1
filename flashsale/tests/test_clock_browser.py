"""The clock of a page, whatever the device's own one says."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import User
from flashsale.models import SaleItem
from flashsale.tests.conftest import Visit
from flashsale.tests.pages import address

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
DRIFT = 0.005
"""Of a device's clocks: seven minutes a day, fifty times what a bad crystal does."""
HOUR = 3_600_000
MOST = 100
DEVICE = """(() => {
  const began = [Date.now(), performance.now()];
  const now = performance.now.bind(performance);
  const passed = () => (now() - began[1]) * %(pace)s;
  performance.now = () => began[1] + passed();
  Date.now = () => began[0] + %(off)s + passed();
})()"""
# At the moment at which the clock moves on, so many seconds are left to the shop's clock as it shows.
TICKS = """async (count) => {
  const shown = document.querySelector("[data-clock]");
  const off = [];
  while (off.length < count) {
    await new Promise((moved) => new MutationObserver(moved).observe(shown, { childList: true }));
    const [minutes, seconds] = shown.textContent.split(":").map(Number);
    const { now } = await (await fetch("/gate/clock", { cache: "no-store" })).json();
    off.push(Math.abs(Number(shown.dataset.until) - now - 1000 * (60 * minutes + seconds)));
  }
  return off;
}"""


@pytest.mark.parametrize(("off", "pace"), [(HOUR, 1 + DRIFT), (-HOUR, 1 - DRIFT)], ids=["fast", "slow"])
def test_a_countdown_is_right_on_a_device_that_is_an_hour_off_and_drifts(
    visit: Visit,
    site: str,
    make_sale: Callable[..., SaleItem],
    shoppers: Callable[[int], list[User]],
    off: int,
    pace: float,
) -> None:
    item, (bea,) = make_sale(opens_at=timezone.now() + timedelta(minutes=20)), shoppers(1)
    page = visit(bea)
    page.add_init_script(DEVICE % {"off": off, "pace": pace})
    page.goto(site + address(item))
    expect(page.locator("[data-clock-off]")).to_be_visible()
    page.wait_for_timeout(20_000)
    # A busy machine may be late for a tick; a clock that is wrong is wrong at each.
    assert min(page.evaluate(TICKS, 5)) <= MOST
    assert 0 < int(page.locator("[data-clock]").get_attribute("data-error") or 0) <= MOST


def test_the_box_of_a_clock_keeps_its_width_for_ten_minutes(
    visit: Visit, site: str, make_sale: Callable[..., SaleItem], shoppers: Callable[[int], list[User]]
) -> None:
    item, (bea,) = make_sale(opens_at=timezone.now() + timedelta(minutes=20)), shoppers(1)
    page = visit(bea)
    page.route("**/gate/**", lambda route: route.abort())  # the shop's own clock does not hurry
    page.clock.install(time=timezone.now())
    page.goto(site + address(item))
    clock = page.locator("[data-clock]")
    seen = set()
    widths = set()
    for _ in range(60):
        page.clock.run_for(10_000)
        seen.add(clock.inner_text())
        widths.add(page.evaluate("document.querySelector('[data-clock]').getBoundingClientRect().width"))
    assert len(seen) > 50, "it counted"
    assert len(widths) == 1
