"""The pages of the shop in their states: `make screenshots` draws them, and axe reads them.

Each with whoever looks at it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from accounts import addresses
from accounts.models import User
from accounts.tests.conftest import HOME
from flashsale import entry_link, scheduling
from flashsale.models import SaleItem
from flashsale.pauses import Why
from flashsale.tests.browsing import lend_cookies
from flashsale.tests.conftest import MakeSale, win
from flashsale.tests.pages import address, browser_of, logged_in
from flashsale.tests.staged import Cast
from flashsale.tests.states import STATES, running
from shop.catalogue import demo
from shop.catalogue.models import Product, Variant
from shop.orders import payment
from shop.orders.models import Cart
from shop.orders.tests.conftest import make_order

CHINESE = "zh-CN"
PATIENCE = 30_000
OPEN_TO_ALL = {
    "home": "/",
    "catalogue": "/catalogue/",
    "category": "/catalogue/?category=lamps",
    "search": "/search/?q=lamp",
    "search-empty": "/search/",
    "search-near": "/search/?q=lampp",
    "search-nothing": "/search/?q=xyzzy",
    "cart-empty": "/cart/",
    "orders-guest": "/orders/",
    "sales-none": "/sales/",
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
    "change-password": "/accounts/password/change/",
    "second-step": "/accounts/2fa/",
    "confirm-password": "/accounts/2fa/totp/activate/",
    "logout": "/accounts/logout/",
    "cart": "/cart/",
    "checkout": "/checkout/",
    "orders": "/orders/",
}
ORDERS = ("awaiting_payment", "paid", "shipped", "cancelled", "expired")
ERRORS = ("400", "403", "403_csrf", "404", "429", "500", "503")


@dataclass(frozen=True, slots=True)
class Shot:
    """A page to draw: its file, its address, in whose browser, and what its main heading must say.

    `body` is shown in place of what is there; `press` is pressed first; the state is there once `shows` is
    visible. A state of the line is drawn without script: script would move on before the last picture.
    """

    name: str
    path: str
    client: Client = field(default_factory=Client)
    heading: str = ""
    status: int = 200
    body: str = ""
    press: str = ""
    shows: str = "h1"
    unanswered: str = ""
    cut: str = ""
    locale: str = "en-GB"
    script: bool = True


def opened(browser: Browser, site: str, shot: Shot, **options: Any) -> Page:
    """Open a page in a window of its own, press what is to be pressed, and see that it is the right one."""
    options |= {"java_script_enabled": shot.script, "locale": shot.locale, "reduced_motion": "reduce"}
    context = browser.new_context(base_url=site, **options)
    context.set_default_timeout(PATIENCE)
    lend_cookies(shot.client, context, site)
    page = context.new_page()
    for address_ in filter(None, (shot.unanswered, shot.cut)):
        page.route(address_, lambda route: route.abort() if shot.cut else None)
    if shot.body:
        page.route(f"**{shot.path}", lambda route: route.fulfill(body=shot.body, content_type="text/html"))
    response = page.goto(shot.path)
    assert response is not None
    assert response.status == shot.status, shot.name
    if shot.press:
        page.locator(shot.press).first.click()
        page.wait_for_load_state()
    expect(page.locator(shot.shows).first).to_be_visible(timeout=PATIENCE)
    assert re.search(shot.heading, page.locator("h1").inner_text()), shot.name
    return page


def shop() -> Iterator[Shot]:
    """Pages of the shop that need no account."""
    demo.load()
    yield from (Shot(name, path) for name, path in OPEN_TO_ALL.items())
    for handle in ("arc-desk-lamp", "vaccination-slot", "linen-shirt"):
        yield Shot(f"product-{handle}", Product.objects.get(handle=handle).get_absolute_url())
    gone = Variant.objects.filter(stock=0)[0]
    yield Shot("notice", f"/notices/{gone.product_id}/")
    yield Shot("login-wrong", "/accounts/login/", press="main form button[type=submit]", heading="Log in")
    guest = Client()
    shirt = Product.objects.get(handle="linen-shirt").variants.all()[0]
    guest.post("/cart/add/", {"variant": shirt.pk})
    yield Shot("checkout-guest", "/checkout/", guest)
    yield Shot("checkout-wrong", "/checkout/", guest, press="#checkout button[type=submit]")
    yield Shot("checkout-chinese", "/checkout/", guest, locale=CHINESE)
    yield Shot("home-chinese", "/", locale=CHINESE)


def own(bea: User) -> Iterator[Shot]:
    """Pages of somebody who is logged in."""
    demo.load()
    browser = logged_in(bea)
    yield Shot("addresses-none", "/accounts/addresses/", browser)
    yield Shot("orders-none", "/orders/", browser)
    yield Shot("reservations-none", "/sales/reservations/", browser)
    home = addresses.add(user=bea, parts=HOME)
    variants = list(Variant.objects.filter(stock__gt=2)[:3])
    cart = Cart.objects.create(user=bea)
    for variant in variants:
        cart.lines.create(variant=variant, quantity=2)
    for status in ORDERS:
        when = timezone.now() if status in ("paid", "shipped") else None
        order = make_order(variants[0], user=bea, status=status, paid_at=when, shipped_at=when)
        yield Shot(f"order-{status}", order.get_absolute_url(), browser)
        if status == "awaiting_payment":
            pay = f"{order.get_absolute_url()}pay/"
            yield Shot("order-pay", pay, browser)
            yield Shot("order-pay-address", f"{pay}?change=address", browser)
            yield Shot("provider", f"/payments/{payment.start(order=order, variant='dummy').token}/", browser)
    yield from (Shot(name, path, browser) for name, path in OWN.items())
    yield Shot("address-delete", f"/accounts/addresses/{home.pk}/delete/", browser)


def errors() -> Iterator[Shot]:
    """What is shown where something is not as it should be."""
    request = RequestFactory().get("/catalogue/")
    request.user = AnonymousUser()
    context: dict[str, Any] = {"retry_at": timezone.now() + timedelta(seconds=40), "retry_after": 5}
    context["SHOP_NAME"] = "Field & Flame"
    for name in ERRORS:
        drawn = render_to_string(f"{name}.html", context, request)
        yield Shot(f"error-{name}", f"/errors/{name}/", body=drawn)


def sales(make_sale: MakeSale, bea: User) -> Iterator[Shot]:
    """The front page and the sales' own pages through the life of a sale."""
    demo.load()
    call_command("demo", opens_in=5400)
    soon = SaleItem.objects.latest("pk")
    yield Shot("home-coming", "/")
    yield Shot("remind", address(soon, "remind"))
    yield Shot("reminded", address(soon, "remind"), logged_in(bea), press="main form button[type=submit]")
    call_command("demo", opens_in=0)
    yield Shot("home-running", "/")
    one = dressed(make_sale)
    yield Shot("sale-several", address(_two(one)))
    yield Shot("sale-running-guest", address(one()))
    gone, over, paused, mine = one(quantity=1), one(), one(), one(standby_size=5)
    scheduling.pause(sale_id=paused.sale_id, why=Why("check", "Crates are being counted."))
    win(gone, bea)
    win(mine, bea)
    scheduling.close_now(sale_id=over.sale_id)
    for name, item in (("sold-out", gone), ("ended", over), ("paused", paused)):
        yield Shot(f"sale-{name}", address(item))
    yield Shot("sale-own", address(mine), logged_in(bea))
    yield Shot("sales", "/sales/")
    yield Shot("reservations", "/sales/reservations/", logged_in(bea))
    yield Shot("sale-chinese", address(soon), locale=CHINESE)
    link = entry_link.make(user=bea, sale=soon.sale)
    yield Shot("entry-link", f"{address(soon, 'enter')}?link={link}")


def _two(one: MakeSale) -> SaleItem:
    """Make a running sale of two things."""
    item = one(scheduled=False)
    lantern = Variant.objects.filter(product__handle="storm-lantern")[0]
    item.sale.items.create(variant=lantern, price=2900, quantity=5, limit=2)
    scheduling.schedule(sale=item.sale)
    return item


def dressed(make_sale: MakeSale) -> MakeSale:
    """Let what is sold look like something of the shop."""

    def make(**fields: Any) -> SaleItem:
        item = make_sale(**fields)
        product, item.sale.title = item.variant.product, "Arc desk lamp: the autumn sale"
        product.title = "Arc desk lamp"
        product.images.create(source="products/arc-desk-lamp.svg")
        product.save()
        item.sale.save(update_fields=["title"])
        return item

    return make


def states(cast: Cast) -> Iterator[Shot]:
    """Every state of a sale's pages, and a press that is on its way."""
    for state in STATES:
        staged = state(cast)
        yield Shot(
            f"state-{state.__name__}",
            staged.path,
            browser_of(staged),
            heading=staged.heading,
            status=staged.status,
            shows=staged.shows,
            cut=staged.cut,
            script=bool(staged.cut),
        )
    pressed = running(cast)
    yield Shot(
        "state-sent",
        pressed.path,
        browser_of(pressed),
        press="[data-buy]",
        unanswered="**/attempt",
        shows="[data-told] > *",
    )
