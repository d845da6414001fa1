"""Pictures of every page and state, at three widths and in both schemes: `make screenshots`.

They are written into .data/screenshots/ to be looked at. pytest runs this file only where it is named.
"""

import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from accounts.models import User
from flashsale.tests.browsing import lend_session
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.pages import logged_in
from flashsale.tests.staged import Cast
from flashsale.tests.states import STATES
from shop.catalogue import demo
from shop.catalogue.models import Product, Variant
from shop.orders.models import Cart
from shop.orders.tests.conftest import make_order
from shop.up.state import ROOT

FOLDER = ROOT / ".data" / "screenshots"
WIDTHS = {360: 740, 768: 1024, 1440: 900}
SCHEMES = ("light", "dark")
OPEN_TO_ALL = {
    "home": "/",
    "catalogue": "/catalogue/",
    "category": "/catalogue/?category=lamps",
    "search": "/search/?q=lamp",
    "search-nothing": "/search/?q=xyzzy",
    "cart-empty": "/cart/",
    "orders-empty": "/orders/",
    "sales": "/sales/",
    "help": "/help/",
    "login": "/accounts/login/",
    "sign-up": "/accounts/signup/",
    "new-password": "/accounts/password/reset/",
}
OWN = {
    "account": "/accounts/",
    "addresses": "/accounts/addresses/",
    "address": "/accounts/addresses/add/",
    "emails": "/accounts/email/",
    "cart": "/cart/",
    "checkout": "/checkout/",
    "orders": "/orders/",
}
ORDERS = ("awaiting_payment", "paid", "shipped", "cancelled", "expired")
ERRORS = ("400", "403", "403_csrf", "404", "429", "500", "503")
LOAD_ALL = """async () => {
  const images = [...document.images];
  for (const image of images) image.loading = "eager";
  await Promise.all(images.map((image) => image.decode().catch(() => {})));
}"""
Shot = tuple[str, str, User | None, str]
"""Name, address, who looks, and a body to show instead of what is there."""


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_every_page_has_its_picture(
    django_db_setup: None, site: str, browser: Browser, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob("*.png"):
        old.unlink()
    demo.load()
    cache.clear()
    (bea,) = shoppers(1)
    taken = 0
    # The shop first: the sales of the states would fill its lists with products that have no picture.
    for kind in (_shop(bea), _errors(), _states(Cast(make_sale, shoppers))):
        shots = list(kind)
        for number, shot in enumerate(shots, start=1):
            _progress(number, len(shots), shot[0])
            _take(browser, site, shot)
        taken += len(shots)
    assert len(list(FOLDER.glob("*.png"))) == taken * len(WIDTHS) * len(SCHEMES)


def _shop(bea: User) -> Iterator[Shot]:
    yield from ((name, path, None, "") for name, path in OPEN_TO_ALL.items())
    for handle in ("arc-desk-lamp", "winter-vaccination", "linen-shirt"):
        for product in Product.objects.filter(handle=handle):
            yield f"product-{handle}", product.get_absolute_url(), None, ""
    gone = Variant.objects.filter(stock=0)[0]
    yield "notice", f"/notices/{gone.product_id}/", None, ""
    variants = list(Variant.objects.filter(stock__gt=2)[:3])
    cart = Cart.objects.create(user=bea)
    for variant in variants:
        cart.lines.create(variant=variant, quantity=2)
    for status in ORDERS:
        when = timezone.now() if status in ("paid", "shipped") else None
        order = make_order(variants[0], user=bea, status=status, paid_at=when, shipped_at=when)
        yield f"order-{status}", order.get_absolute_url(), bea, ""
        if status == "awaiting_payment":
            yield "order-pay", f"{order.get_absolute_url()}pay/", bea, ""
    yield from ((name, path, bea, "") for name, path in OWN.items())


def _errors() -> Iterator[Shot]:
    request = RequestFactory().get("/catalogue/")
    request.user = AnonymousUser()
    context = {
        "retry_at": timezone.now() + timedelta(seconds=40),
        "retry_after": 5,
        "SHOP_NAME": "Field & Flame",
    }
    for name in ERRORS:
        yield f"error-{name}", f"/errors/{name}/", None, render_to_string(f"{name}.html", context, request)


def _states(cast: Cast) -> Iterator[Shot]:
    for state in STATES:
        staged = state(cast)
        yield f"state-{state.__name__}", staged.path, staged.user, ""


def _take(browser: Browser, site: str, shot: Shot) -> None:
    name, path, user, body = shot
    # A state is drawn by the server; its script would move on to the next one before the last picture.
    is_state = name.startswith("state-")
    context = browser.new_context(base_url=site, reduced_motion="reduce", java_script_enabled=not is_state)
    page = _open(context, site, path, user, body)
    if not is_state:
        page.evaluate(LOAD_ALL)
    for width, height in WIDTHS.items():
        page.set_viewport_size(ViewportSize(width=width, height=height))
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            page.screenshot(path=FOLDER / f"{name}-{width}-{scheme}.png", full_page=True)
    context.close()


def _open(context: BrowserContext, site: str, path: str, user: User | None, body: str) -> Page:
    if user:
        lend_session(logged_in(user), context, site)
    page = context.new_page()
    page.set_default_timeout(20_000)
    if body:
        page.route(f"**{path}", lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(path)
    return page


def _progress(number: int, of: int, name: str) -> None:
    done = 30 * number // of
    bar = "#" * done + "." * (30 - done)
    sys.stderr.write(f"\r  [{bar}] {number} of {of}: {name:<32}" + ("\n" if number == of else ""))
    sys.stderr.flush()
