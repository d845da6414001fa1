"""Three real pages among three thousand shoppers: nobody overtakes, pages pass on, results are pushed."""

import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from threading import Thread

import pytest
from django.db import connection
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from accounts.models import User
from flashsale import crowd, reservations, scheduling
from flashsale.models import Reservation, SaleItem
from flashsale.tests import watching
from flashsale.tests.browsing import lend_session, running_site
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.pages import logged_in
from flashsale.tests.test_pages_browser import enter
from flashsale.tests.test_queue_crowd import order_of_service, queue_of, storm, tickets_of
from shop.up.ports import free_port

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.slow]
CROWD, RATE = 3000, 200
A_TURN = 60_000
"""Ms in which a whole crowd has been served, on a machine that is busy with much else."""
YOURS = "It is yours"
OpenPage = Callable[[User, str], Page]


class Crowd(Thread):
    """The scripted shoppers, in a thread of their own: the browser's driver runs a loop in this one."""

    def __init__(self, site: str, item: SaleItem, seconds: float) -> None:
        super().__init__()
        self._facts = site, item, seconds
        self.outcomes: list[crowd.Outcome] = []
        self.start()

    def run(self) -> None:
        """Let them all come."""
        site, item, seconds = self._facts
        self.outcomes = storm(site, item, shoppers=CROWD, seconds=seconds, patience=60)
        connection.close()


@pytest.fixture
def open_page(transactional_db: None, browser: Browser) -> Iterator[OpenPage]:
    """Open an empty page in a browser of one's own that is watched."""
    opened: list[BrowserContext] = []

    def open_page(user: User, site: str) -> Page:
        context = browser.new_context()
        opened.append(context)
        lend_session(logged_in(user), context, site)
        page = context.new_page()
        page.set_default_timeout(A_TURN)
        watching.watch(page)
        return page

    yield open_page
    for context in opened:
        context.close()


def times_of_polls(page: Page) -> list[float]:
    """Collect when the page asks for the status document, document by document."""
    times: list[float] = []

    def note(request: Request) -> None:
        if request.method == "GET" and request.url.rsplit("/", 1)[0].endswith("/gate/sales"):
            times.append(time.monotonic())

    page.on("request", note)
    return times


def press(page: Page) -> None:
    page.locator("[data-buy]").click()
    expect(page.locator("h1")).to_contain_text("You are in line", timeout=A_TURN)


def test_three_pages_among_three_thousand_are_served_in_order_and_told_by_push(
    open_page: OpenPage, site: str, make_sale: MakeSale, shoppers: MakeShoppers, worker: list[int]
) -> None:
    item = make_sale(quantity=CROWD + 1, rate=RATE, standby_size=5)
    three = shoppers(3)
    pages = [open_page(user, site) for user in three]
    polls = [times_of_polls(page) for page in pages]
    for page in pages:
        enter(page, site, item)
    thousands = Crowd(site, item, 4.0)
    time.sleep(1.5)
    press(pages[0])
    press(pages[1])
    thousands_have_come(item)
    press(pages[2])  # the last one: two more than there are units
    for page in pages[:2]:
        expect(page.locator("h1")).to_contain_text(YOURS, timeout=A_TURN)
    expect(pages[2].locator("h1")).to_contain_text("on standby", timeout=A_TURN)
    thousands.join()
    order = order_of_service(item, thousands.outcomes)
    assert len(order) > CROWD / 2
    assert order == sorted(order)
    worker.append(item.sale_id)
    for page in pages[:2]:
        expect(page.locator("h1")).to_contain_text("It is yours until")
    _promote(item, three[2])
    expect(pages[2].locator("h1")).to_contain_text("One came free: it is yours until")
    assert ("result", "ready") in watching.pushed(pages[0]) + watching.pushed(pages[1])
    assert ("result", "promoted") in watching.pushed(pages[2])
    assert_pages_in_order(item, three[:2])
    assert_patient(polls)


@pytest.mark.usefixtures("site")  # for the browser and the database beside it; this shop runs on
def test_three_thousand_and_three_pages_outlive_new_rates_a_pause_and_a_restart(
    open_page: OpenPage, make_sale: MakeSale, shoppers: MakeShoppers, worker: list[int]
) -> None:
    item, three, port = make_sale(quantity=CROWD + 3, rate=RATE), shoppers(3), str(free_port())
    with running_site(PORT=port) as shop:
        pages = [open_page(user, shop) for user in three]
        polls = [times_of_polls(page) for page in pages]
        for page in pages:
            enter(page, shop, item)
        thousands = Crowd(shop, item, 3.0)
        time.sleep(1.5)
        scheduling.set_rate(sale_id=item.sale_id, rate=RATE // 2)  # there is time for all that follows
        for page in pages:
            press(page)
        thousands_have_come(item, pages=3)
        pages[2].wait_for_timeout(2000)  # until it has heard of the rate that is changed now
        scheduling.set_rate(sale_id=item.sale_id, rate=RATE // 4)
        expect(pages[2].locator("[data-reason]")).to_contain_text("your turn is later now")
        scheduling.pause(sale_id=item.sale_id)
        expect(pages[2].locator("[data-pause]")).to_contain_text("The shop paused the sale at")
    with running_site(PORT=port):
        scheduling.resume(sale_id=item.sale_id)
        scheduling.set_rate(sale_id=item.sale_id, rate=RATE)
        queue = queue_of(item)
        for page in pages:
            expect(page.locator("h1")).to_contain_text(YOURS, timeout=A_TURN)
        thousands.join()
        worker.append(item.sale_id)
        for page in pages:
            expect(page.locator("h1")).to_contain_text("It is yours until", timeout=A_TURN)
    assert crowd.count(thousands.outcomes) == {"reserved": CROWD}, "no result was missed"
    order = order_of_service(item, thousands.outcomes, queue)
    assert len(order) > CROWD / 4, "those who were there at their turn"
    assert order == sorted(order)
    assert_pages_in_order(item, three)
    assert_patient(polls)


def assert_patient(polls: list[list[float]]) -> None:
    """No page asked more often than the status document may be kept."""
    gaps = [later - one for times in polls for one, later in pairwise(times)]
    assert all(gap >= 0.95 for gap in gaps), gaps


def thousands_have_come(item: SaleItem, *, pages: int = 2) -> None:
    """Wait until everybody has a ticket."""
    deadline = time.monotonic() + A_TURN / 1000
    while len(tickets_of(item)) < CROWD + pages:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _promote(item: SaleItem, user: User) -> None:
    """Give units back until the one on standby has his."""
    while not Reservation.objects.filter(user=user).exists():
        held = Reservation.objects.filter(item=item, status="held", promoted=False).exclude(user=user)
        row = held.select_related("user").filter(order__isnull=False).order_by("-pk")[2]
        reservations.give_back(user=row.user, rid=row.rid)
        time.sleep(0.5)


def assert_pages_in_order(item: SaleItem, users: list[User]) -> None:
    """The pages got their units in the order of their tickets, like everybody else."""
    tickets = tickets_of(item)
    rows = Reservation.objects.filter(item=item, user__in=users)
    served = sorted((int(row.rid.split("-")[2]), tickets[row.user_id]) for row in rows)
    assert [ticket for _, ticket in served] == sorted(tickets[user.pk] for user in users)
