"""The cast and the stage of a sale: shoppers, a scheduled sale, an empty store."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import count
from threading import Event, Thread
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection
from playwright.sync_api import Browser, BrowserContext, Page

from accounts.models import User
from flashsale import draining, reconcile, scheduling, stock
from flashsale.models import Reservation, Sale, SaleItem
from flashsale.replies import Answer
from flashsale.tests.browsing import lend_cookies, lend_session, running_site
from flashsale.tests.pages import browser_of, logged_in
from flashsale.tests.staged import Cast, Staged
from shop.catalogue.models import Product, Variant
from shop.orders import payment
from shop.orders.models import Order

_numbers = count(1)
MakeSale = Callable[..., SaleItem]
MakeShoppers = Callable[[int], list[User]]
Visit = Callable[[User], Page]
Show = Callable[..., Page]


@pytest.fixture(autouse=True)
def _empty_store() -> Iterator[None]:
    get_redis_connection("sale").flushdb()
    yield
    get_redis_connection("sale").flushdb()


@pytest.fixture
def uncounted() -> Iterator[None]:
    """Tries of another test do not count in this one."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def make_variant(db: None) -> Callable[..., Variant]:
    """Make a variant with so many units in ordinary stock."""

    def make(*, stock: int = 100, price: int = 9000, **fields: Any) -> Variant:
        number = next(_numbers)
        product = Product.objects.create(handle=f"lamp-{number}", title=f"Lamp {number}", **fields)
        return Variant.objects.create(product=product, sku=f"LAMP-{number}", price=price, stock=stock)

    return make


@pytest.fixture
def make_sale(make_variant: Callable[..., Variant]) -> MakeSale:
    """Make a sale of one item; running and scheduled unless told otherwise. Returns the item."""

    def make(
        *, quantity: int = 3, price: int = 4900, limit: int = 1, scheduled: bool = True, **fields: Any
    ) -> SaleItem:
        number, now = next(_numbers), timezone.now()
        fields = {"opens_at": now - timedelta(minutes=1), "closes_at": now + timedelta(hours=1)} | fields
        sale = Sale.objects.create(
            slug=f"sale-{number}", title=f"Lamp sale {number}", captcha=False, **fields
        )
        variant = make_variant(stock=quantity + 10)
        item = SaleItem.objects.create(
            sale=sale, variant=variant, price=price, quantity=quantity, limit=limit
        )
        if scheduled:
            scheduling.schedule(sale=sale)
            item.refresh_from_db()
        return item

    return make


@pytest.fixture
def shoppers(db: None) -> MakeShoppers:
    """Make so many shoppers."""

    def make(number: int) -> list[User]:
        first = next(_numbers)
        rows = [User(email=f"shopper-{first}-{i}@example.com", password="!") for i in range(number)]
        return User.objects.bulk_create(rows)

    return make


@pytest.fixture
def bea(shoppers: MakeShoppers) -> User:
    """A shopper."""
    return shoppers(1)[0]


@pytest.fixture
def as_bea(bea: User) -> Client:
    """The browser in which she is logged in."""
    return logged_in(bea)


@pytest.fixture(scope="module")
def site(django_db_setup: None, browser: Browser) -> Iterator[str]:
    # The browser's driver runs a loop in this thread; the tests speak to the database beside it, not in it.
    with running_site() as address_of_site, pytest.MonkeyPatch.context() as patch:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        yield address_of_site


@pytest.fixture
def visit(transactional_db: None, site: str, context: BrowserContext) -> Visit:
    """Open a page in the browser of somebody who is logged in."""

    def open_page(user: User) -> Page:
        lend_session(logged_in(user), context, site)
        page = context.new_page()
        page.set_default_timeout(10_000)
        return page

    return open_page


@pytest.fixture
def worker(transactional_db: None) -> Iterator[list[int]]:
    """Record what the store decides as the worker does, for the sales put into the list."""
    sales: list[int] = []
    stop = Event()

    def work() -> None:
        while not stop.is_set():
            for sale_id in sales:
                draining.drain_once(sale_id=sale_id)
            stop.wait(0.05)
        connection.close()

    thread = Thread(target=work)
    thread.start()
    yield sales
    stop.set()
    thread.join()


@pytest.fixture
def cast(transactional_db: None, make_sale: MakeSale, shoppers: MakeShoppers) -> Cast:
    """What a state of the pages is made of."""
    return Cast(make_sale, shoppers)


@pytest.fixture
def show(cast: Cast, browser: Browser, site: str) -> Iterator[Show]:
    """Open a staged page in a browser of its own; `before` meets the page while it is still empty."""
    opened: list[BrowserContext] = []

    def show(staged: Staged, *, before: Callable[[Page], object] = lambda _: None, **options: Any) -> Page:
        context = browser.new_context(base_url=site, **{"reduced_motion": "reduce"} | options)
        opened.append(context)
        lend_cookies(browser_of(staged), context, site)
        page = context.new_page()
        page.set_default_timeout(10_000)
        if staged.unanswered:
            page.route(staged.unanswered, lambda _: None)
        if staged.cut:
            page.route(staged.cut, lambda route: route.abort())
        before(page)
        response = page.goto(staged.path)
        assert response is not None
        assert response.status == staged.status
        return page

    yield show
    for context in opened:
        context.close()


def attempt(item: SaleItem, *users: User) -> list[Answer]:
    """Let shoppers attempt, in this order and in one batch."""
    pairs = [(item.pk, user.pk) for user in users]
    return stock.run(stock.attempt(item.sale_id, pairs, per_minute=settings.ATTEMPTS_PER_MINUTE)).answers


def win(item: SaleItem, *users: User) -> list[str]:
    """Let shoppers reserve, record it, and return their rids."""
    answers = attempt(item, *users)
    assert [answer.outcome for answer in answers] == ["reserved"] * len(users)
    draining.drain_once(sale_id=item.sale_id)
    return [answer.rid for answer in answers]


def units(item: SaleItem) -> tuple[int, int, int, int]:
    """Return free, held, paid and returned of an item as the store counts them."""
    status = stock.run(stock.status(item.sale_id, [item.pk]))
    assert status is not None
    found = status.items[item.pk]
    return found.free, found.held, found.paid, found.returned


def let_the_deadline_pass(*rids: str) -> None:
    """Let the time to pay these reservations be over since a second."""
    past = timezone.now() - timedelta(seconds=1)
    Reservation.objects.filter(rid__in=rids).update(pay_by=past)
    Order.objects.filter(reservation__rid__in=rids).update(pay_by=past)


def pay(rid: str) -> None:
    """Pay a reservation; raises shop.orders.errors.NotPayable if that is too late."""
    order = Order.objects.get(reservation__rid=rid)
    Order.objects.filter(pk=order.pk).update(total=0)
    payment.confirm(order=order)


def is_clean(item: SaleItem) -> bool:
    """Whether both stores tell the same of the item's sale, and nothing is on its way between them."""
    return reconcile.compare(sale_id=item.sale_id).is_clean


@pytest.fixture
def mei(db: None) -> User:
    """Somebody of the staff who steers a sale."""
    return User.objects.create_user("mei@example.com", is_staff=True)
