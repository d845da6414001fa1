"""Waiting in line in a real browser: the page moves on by itself, with and without script."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, Route, expect

from accounts.models import User
from flashsale import draining, scheduling, stock
from flashsale.models import SaleItem
from flashsale.tests.browsing import lend_session, serve_joined
from flashsale.tests.conftest import Visit, attempt, win
from flashsale.tests.pages import address, change, logged_in
from flashsale.tests.pages import enter as enter_without_script
from flashsale.tests.pages import press as press_without_script
from flashsale.tests.test_pages_browser import enter, is_same_document

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


def press(page: Page) -> None:
    page.locator("[data-buy]").click()


@pytest.mark.parametrize("in_one_file", [False, True])
def test_a_press_leads_into_the_line_and_the_page_moves_on_at_its_turn(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd, *, in_one_file: bool
) -> None:
    item, (bea,) = make_sale(quantity=20, rate=2), shoppers(1)
    page = visit(bea)
    if in_one_file:
        serve_joined(page)
    enter(page, site, item)
    attempt(item, *shoppers(9))
    press(page)
    expect(page.locator("h1")).to_have_text("You are in line")
    expect(page.locator("[data-turn-words]")).to_contain_text(
        re.compile("Your turn: about .* in [2-4] seconds")
    )
    expect(page.locator("h1")).to_contain_text("It is yours", timeout=10_000)
    ticket = stock.run(stock.own(item.sale_id, [item.pk], [bea.pk]))[0].ticket
    assert ticket is not None
    draining.drain_once(sale_id=item.sale_id)
    reserved_at = bea.reservations.get().reserved_at.timestamp() * 1000
    assert 0 <= reserved_at - ticket.turn_at < 300, "the press waited at the gate for its turn"
    assert page.url.endswith(f"/sales/reservations/{bea.reservations.get().rid}/")


def test_a_new_rate_and_a_pause_reach_the_page_with_their_reasons(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd
) -> None:
    item, crowd = make_sale(quantity=900, rate=2), shoppers(400)
    attempt(item, *crowd)
    page = visit(crowd[-1])
    page.goto(site + address(item, "items", str(item.pk)))
    expect(page.locator("[data-place]")).to_contain_text(re.compile("39[0-9] people are ahead"))
    expect(page.locator("[data-age]")).to_contain_text(re.compile(r"As of \d\d:\d\d:\d\d"))
    page.evaluate("window.sameDocument = true")
    page.wait_for_timeout(1500)
    scheduling.set_rate(sale_id=item.sale_id, rate=4)
    expect(page.locator("[data-reason]")).to_contain_text("your turn is earlier now")
    scheduling.pause(sale_id=item.sale_id)
    expect(page.locator("[data-pause]")).to_contain_text("The shop paused the sale at")
    expect(page.locator("[data-turn-words]")).to_contain_text("cannot be told while the sale is paused")
    scheduling.resume(sale_id=item.sale_id)
    expect(page.locator("[data-reason]")).to_contain_text("The sale goes on since")
    assert is_same_document(page)


def test_the_wait_ends_on_the_page_when_all_is_gone(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd
) -> None:
    item, crowd = make_sale(quantity=3, rate=1), shoppers(40)
    attempt(item, *crowd)
    page = visit(crowd[-1])
    page.goto(site + address(item, "items", str(item.pk)))
    expect(page.locator("h1")).to_have_text("You are in line")
    scheduling.set_rate(sale_id=item.sale_id, rate=None)
    win(item, *crowd[5:7])
    expect(page.locator("h1")).to_have_text("Sold out")


def test_whoever_lines_up_before_the_opening_learns_his_place_at_the_draw(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd
) -> None:
    opens_at = timezone.now() + timedelta(seconds=6)
    item, (bea, *crowd) = (
        make_sale(quantity=90, rate=1, shuffle_at_open=True, opens_at=opens_at),
        shoppers(30),
    )
    attempt(item, *crowd)
    page = visit(bea)
    enter(page, site, item)
    page.get_by_role("button", name="Line up").click()
    expect(page.locator("[data-place]")).to_contain_text("Places are drawn by lot at the opening")
    expect(page.locator("body")).to_contain_text(re.compile("ahead|It is yours"), timeout=12_000)


def test_without_script_the_page_goes_on_by_itself_at_the_turn(
    site: str, browser: Browser, make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea,) = make_sale(quantity=20, rate=2), shoppers(1)
    attempt(item, *shoppers(9))
    context = browser.new_context(base_url=site, java_script_enabled=False)
    lend_session(logged_in(bea), context, site)
    page = context.new_page()
    page.goto(address(item, "enter"))
    page.get_by_role("button", name="Enter the sale").click()
    press(page)
    expect(page.locator("h1")).to_have_text("You are in line")
    expect(page.locator("h1")).to_contain_text("It is yours", timeout=15_000)
    context.close()


def test_a_page_that_found_the_line_full_tries_again_by_itself(
    visit: Visit, site: str, make_sale: Make, shoppers: Crowd
) -> None:
    opens_at = timezone.now() + timedelta(minutes=20)
    item = make_sale(quantity=20, rate=1, queue_limit=1, shuffle_at_open=True, opens_at=opens_at)
    bea, ann = shoppers(2)
    attempt(item, ann)
    page = visit(bea)

    def soon(route: Route) -> None:
        answer = route.fetch()
        told = answer.json()
        route.fulfill(response=answer, json=told | ({"retry_after": 2} if told["outcome"] == "full" else {}))

    page.route("**/attempt", soon)  # the gate says about thirty seconds: too long to be waited for here
    enter(page, site, item)
    page.get_by_role("button", name="Line up").click()
    told = page.locator("[data-told]").first
    expect(told).to_contain_text("We try again for you in about", timeout=60_000)
    change(item.sale, queue_limit=9)
    scheduling.warm(sale_id=item.sale_id)
    expect(page.locator("h1")).to_have_text("You are in line", timeout=60_000)
    page.unroute("**/attempt")


def test_those_who_found_the_line_full_are_told_different_times(make_sale: Make, shoppers: Crowd) -> None:
    opens_at = timezone.now() + timedelta(minutes=20)
    item = make_sale(quantity=20, rate=1, queue_limit=1, shuffle_at_open=True, opens_at=opens_at)
    ann, *crowd = shoppers(25)
    attempt(item, ann)
    clients = [logged_in(user) for user in crowd]
    for client in clients:
        enter_without_script(client, item)
    answers = [press_without_script(client, item) for client in clients]
    assert {answer.status_code for answer in answers} == {503}
    times = {int(answer["Retry-After"]) for answer in answers}
    assert len(times) > 5
    assert min(times) >= 20
    assert max(times) <= 40
    assert all(f'content="{answer["Retry-After"]};' in answer.content.decode() for answer in answers)


def test_a_full_line_lets_in_whoever_comes_back_when_there_is_room(
    site: str, browser: Browser, make_sale: Make, shoppers: Crowd
) -> None:
    opens_at = timezone.now() + timedelta(seconds=15)
    item = make_sale(quantity=20, rate=1, queue_limit=1, shuffle_at_open=True, opens_at=opens_at)
    bea, ann = shoppers(2)
    attempt(item, ann)
    context = browser.new_context(base_url=site, java_script_enabled=False)
    lend_session(logged_in(bea), context, site)
    page = context.new_page()
    page.goto(address(item, "enter"))
    page.get_by_role("button", name="Enter the sale").click()
    page.get_by_role("button", name="Line up").click()
    expect(page.locator("h1")).to_have_text("The line is full")
    page.wait_for_timeout(max(0, (opens_at - timezone.now()).total_seconds() * 1000 + 1500))
    page.get_by_role("link", name="Try now").click()
    expect(page.locator("h1")).to_contain_text(re.compile("It is yours|You are in line"))
    context.close()
