"""axe and the narrowest screen (320 px) on the pages of somebody who is logged in, and on the cockpit's."""

import pytest
from playwright.sync_api import Page, ViewportSize

from accounts.models import User
from flashsale import drafts
from flashsale.tests.browsing import findings
from flashsale.tests.conftest import MakeSale, Visit, win
from shop.catalogue import demo
from shop.catalogue.models import Variant
from shop.orders.models import Cart
from shop.orders.tests.conftest import make_order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
NARROW, DESK = ViewportSize(width=320, height=640), ViewportSize(width=1280, height=900)
OWN = ["", "addresses/", "addresses/add/", "email/", "password/change/"]
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


def test_the_pages_of_a_shopper_are_clean_and_narrow_enough(visit: Visit, site: str, bea: User) -> None:
    demo.load()
    variants = list(Variant.objects.filter(stock__gt=2)[:2])
    cart = Cart.objects.create(user=bea)
    for variant in variants:
        cart.lines.create(variant=variant, quantity=1)
    states = ("awaiting_payment", "cancelled")
    orders = [make_order(variants[0], user=bea, status=state) for state in states]
    gone = Variant.objects.filter(stock=0)[0]
    addresses = [f"/accounts/{name}" for name in OWN]
    addresses += ["/cart/", "/checkout/", "/orders/", "/sales/", f"/notices/{gone.product_id}/"]
    addresses += [order.get_absolute_url() for order in orders]
    addresses += [f"{orders[0].get_absolute_url()}pay/", f"{orders[0].get_absolute_url()}pay/?change=address"]
    assert look(visit(bea), site, addresses, within=None) == []


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
