"""axe and the narrowest screen (320 px) on the cockpit's pages; the shop's have `test_drawn_pages.py`."""

import pytest
from playwright.sync_api import Page, ViewportSize

from accounts.models import User
from flashsale import drafts
from flashsale.tests.browsing import findings
from flashsale.tests.conftest import MakeSale, Visit, win

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
NARROW, DESK = ViewportSize(width=320, height=640), ViewportSize(width=1280, height=900)
COCKPIT = ["live", "report", "whitelist"]
ACTIONS = ["take", "add", "resume", "why", "end", "release", "close"]


def look(page: Page, site: str, addresses: list[str], *, within: str | None) -> list[str]:
    """Return what axe finds on these pages in both schemes, and those that are wider than their screen."""
    found = []
    for address in addresses:
        page.set_viewport_size(NARROW)
        page.emulate_media(color_scheme="dark", reduced_motion="reduce")  # else colours are on their way
        answer = page.goto(site + address)
        assert answer is not None
        assert answer.status == 200, address
        found += findings(page, within=within)
        page.set_viewport_size(DESK)
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        found += findings(page, within=within)
    return found


def test_the_pages_of_the_cockpit_are_clean_and_narrow_enough(
    visit: Visit, site: str, bea: User, make_sale: MakeSale
) -> None:
    boss = User.objects.create_superuser("mei@example.com")
    item, deleted = make_sale(quantity=9, rate=5), make_sale(scheduled=False)
    win(item, bea)
    drafts.delete(sale=deleted.sale, by=boss)
    base = "/admin/flashsale/sale/"
    addresses = [f"{base}{item.sale_id}/{name}/" for name in COCKPIT]
    addresses += [f"{base}{name}/" for name in ("calendar", "log", "deleted", "shopper")]
    page = visit(boss)
    assert look(page, site, addresses, within="main") == []
    actions = [f"{base}{item.sale_id}/{name}/" for name in ACTIONS]
    assert look(page, site, actions, within="form[method=post][novalidate]") == []
