"""The whole story in a browser, on all that `make run` starts: buy, miss a deadline, stand by, move up."""

import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from shop.up.processes import LINUX
from tests.running import Shop, running_shop
from tests.shoppers import PATIENCE, PICTURES, Shopper

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PAY_WITHIN = 30
"""Seconds: enough to read five pages and press on each, on a machine that is busy with other tests."""
YOURS = re.compile("^It is yours until")

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """A shop of its own; the tests of this file share it, and the last one stops it."""
    if CHROMIUM is None:
        pytest.skip("There is no Chromium here.")
    for old in PICTURES.glob("story-*.png"):
        old.unlink()
    with running_shop() as running:
        yield running


@pytest.fixture(scope="module")
def chromium(shop: Shop) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=CHROMIUM) as launched:
        yield launched


def test_a_new_shopper_enters_the_running_demo_sale_buys_pays_and_gets_the_mail(
    shop: Shop, chromium: Browser
) -> None:
    nora = Shopper(chromium, shop, "Nora")
    nora.sign_up()
    nora.look("sales")
    nora.page.goto("/")
    nora.look("home")
    nora.page.get_by_role("link", name="To the sale").click()
    nora.look("sale")
    nora.page.get_by_role("link", name="Enter the sale").click()
    nora.look("enter")
    nora.pass_the_check()
    nora.look("button")
    nora.press()
    nora.page.get_by_role("link", name="Go to payment").click()
    expect(nora.page.get_by_role("heading", name=YOURS)).to_be_visible()
    nora.look("reserved")
    nora.pay()
    number = nora.page.get_by_role("heading", level=1).inner_text()
    assert re.fullmatch(r"Order \d{4}-\d{5}", number)
    assert number.split()[1] in nora.read_mail("Paid")
    assert nora.complaints == []


def test_a_sale_can_be_won_without_javascript_while_the_worker_takes_a_break(
    shop: Shop, chromium: Browser
) -> None:
    sale = shop.demo_sale(quantity=5)
    otto = Shopper(chromium, shop, "Otto", has_script=False)
    otto.sign_up()
    otto.enter(sale)
    with shop.frozen("worker"):
        otto.press()
        expect(otto.page.get_by_role("heading", name="Your order is being prepared")).to_be_visible()
        otto.look("preparing")
    expect(otto.page.get_by_role("heading", name=YOURS)).to_be_visible()
    otto.look("reserved")
    otto.pay()
    assert otto.complaints == []


def test_a_unit_that_is_not_paid_in_time_goes_to_who_stands_by(shop: Shop, chromium: Browser) -> None:
    sale = shop.demo_sale(quantity=1, standby=1, pay_within=PAY_WITHIN)
    ben, sam = Shopper(chromium, shop, "Ben"), Shopper(chromium, shop, "Sam")
    for shopper in (ben, sam):
        shopper.sign_up()
        shopper.enter(sale)
    ben.press()
    ben.page.get_by_role("link", name="Go to payment").click()
    expect(ben.page.get_by_role("heading", name=YOURS)).to_be_visible()
    sam.press()
    sam.page.get_by_role("link", name="See your place").click()
    expect(sam.page.get_by_role("heading", name="You are number 1 on standby")).to_be_visible()
    sam.look("standby")
    promoted = sam.page.get_by_role("heading", name=re.compile("^One came free: it is yours until"))
    expect(promoted).to_be_visible(timeout=1000 * PAY_WITHIN + PATIENCE)
    sam.look("promoted")
    sam.pay()
    expect(ben.page.get_by_role("heading", name=re.compile("^The time to pay ended at"))).to_be_visible()
    expect(ben.page.get_by_text("The unit went to the next person")).to_be_visible()
    ben.look("expired")
    assert re.search("you were next on standby: .+ is yours until .+ UTC", sam.read_mail("One came free"))
    assert "it went to the next person. Nothing was charged." in ben.read_mail("Not paid in time")
    assert ben.complaints + sam.complaints == []


def test_both_stores_agree_on_every_sale_at_the_end(shop: Shop) -> None:
    told = shop.manage("reconcile")
    assert told.count("adds up in both stores") == told.count("\nsale ") + 1 == 3
    assert "1 = free 0 + held 0 + paid 1 + returned 0" in told


@pytest.mark.skipif(not LINUX, reason="Linux tells which processes there are.")
def test_the_shop_leaves_no_process_behind(shop: Shop) -> None:
    assert len(shop.processes()) > 6
    assert shop.stop() == 0
    assert shop.processes() == []
