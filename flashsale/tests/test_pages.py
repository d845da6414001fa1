"""The public pages of sales: what they say in every state, and that they stay up without the store."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from redis.exceptions import ConnectionError as StoreAway

from accounts.models import User
from flashsale import scheduling, showing, stock
from flashsale.models import SaleItem
from flashsale.tests.conftest import attempt, win
from flashsale.tests.pages import address, change, enter, logged_in, words
from flashsale.words import hour
from shop.catalogue.models import Product
from shop.orders import shipping
from shop.templatetags.shop import ms

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


@pytest.fixture
def silent_store(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(_call: Any) -> None:
        raise StoreAway("away")

    monkeypatch.setattr(stock, "run", away)


def visible(client: Client, item: SaleItem) -> str:
    """What stands in the box of the sale's state, without what waits there for another state."""
    page = client.get(address(item)).content.decode()
    parts = page.split("data-when=")
    shown = [part for part in parts[1:] if " hidden>" not in part[:60]]
    return " ".join(shown)


def test_the_list_parts_running_coming_and_past(client: Client, make_sale: Make) -> None:
    now = timezone.now()
    make_sale(opens_at=now + timedelta(hours=2), closes_at=now + timedelta(hours=3))
    past = make_sale()
    change(past.sale, opens_at=now - timedelta(days=2), closes_at=now - timedelta(days=1))
    make_sale()
    text = words(client.get("/sales/"))
    assert text.index("Running now") < text.index("Coming") < text.index("Past")
    assert "in 2 hours" in text


def test_no_sale_at_all_is_said(client: Client) -> None:
    assert "No sale is planned" in words(client.get("/sales/"))


def dates(after: datetime) -> str:
    return " and ".join(f"{day:%A}, {day.day} {day:%B %Y}" for day in shipping.days(after))


@pytest.mark.parametrize("page", [[], ["ready"]], ids=["sale", "ready"])
def test_the_days_of_delivery_and_the_whole_price_are_told_before_one_has_a_unit(
    client: Client, make_sale: Make, page: list[str]
) -> None:
    now = timezone.now()
    item = make_sale(opens_at=now + timedelta(days=3), closes_at=now + timedelta(days=4))
    opens_at = item.sale.opens_at
    said = f"Paid on {opens_at:%A}, {opens_at.day} {opens_at:%B %Y}, it should arrive between "
    text = words(client.get(address(item, *page)))
    assert said + dates(opens_at) in text
    assert "USD 53.90 in all: tax is included, and USD 4.90 for the delivery" in text
    running = make_sale()
    assert f"Paid today, it should arrive between {dates(now)}." in words(client.get(address(running, *page)))


def test_no_delivery_is_promised_for_what_is_collected_or_over(client: Client, make_sale: Make) -> None:
    item, over = make_sale(), make_sale()
    scheduling.close_now(sale_id=over.sale_id)
    assert "should arrive" not in words(client.get(address(over)))
    Product.objects.filter(pk=item.variant.product_id).update(kind="collected")
    text = words(client.get(address(item)))
    assert "should arrive" not in text
    assert "USD 49.00, tax included" in text


def test_guests_share_the_page_of_a_sale_for_a_second_and_nobody_else_does(
    make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    guest = Client()
    page = guest.get(address(item))
    assert page["Cache-Control"] == "public, max-age=0, s-maxage=1"
    assert {"Accept-Language", "Cookie"} <= set(page["Vary"].split(", "))
    assert not page.cookies
    assert "csrfmiddlewaretoken" not in page.content.decode()
    assert logged_in(bea).get(address(item))["Cache-Control"] == "private, no-cache"
    guest.post("/cart/add/", {"variant": item.variant_id}, headers={"Sec-Fetch-Site": "same-origin"})
    assert guest.get(address(item))["Cache-Control"] == "private, no-cache"
    told = Client()
    told.cookies["messages"] = "anything"
    assert told.get(address(item))["Cache-Control"] == "private, no-cache"
    assert "public" not in Client().get("/sales/nothing/").get("Cache-Control", "")


def test_a_draft_is_nowhere(client: Client, make_sale: Make) -> None:
    item = make_sale(scheduled=False)
    assert client.get(address(item)).status_code == 404
    assert item.sale.title not in words(client.get("/sales/"))


def test_before_opening_the_time_stands_there_with_its_zone(client: Client, make_sale: Make) -> None:
    opens_at = (timezone.now() + timedelta(days=2)).replace(second=0, microsecond=0)
    item = make_sale(opens_at=opens_at, closes_at=opens_at + timedelta(hours=1), quantity=3)
    text = words(client.get(address(item)))
    assert f"Opens {opens_at:%A} {opens_at.day} {opens_at:%B %Y, %H:%M} UTC, in 2 days." in text
    assert "10 minutes from the moment one is yours" in text
    assert "3 in the sale" in text
    assert "USD 49.00" in text


def test_the_clock_counts_to_the_opening(client: Client, make_sale: Make) -> None:
    item = make_sale(opens_at=timezone.now() + timedelta(minutes=10))
    page = client.get(address(item)).content.decode()
    assert f'data-until="{ms(item.sale.opens_at)}"' in page
    assert "data-clock" in page


def test_a_guest_is_asked_to_enter_and_sees_no_button(client: Client, make_sale: Make) -> None:
    box = visible(client, make_sale())
    assert "Enter the sale" in box
    assert "data-buy" not in box


def test_who_has_entered_sees_the_button_and_what_is_left(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea, rival) = make_sale(quantity=3), shoppers(2)
    client = logged_in(bea)
    enter(client, item)
    win(item, rival)
    box = visible(client, item)
    assert "Reserve one for USD 49.00" in box
    assert ">2 of 3 left<" in box


def test_when_all_are_reserved_the_button_offers_standby(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea, rival) = make_sale(quantity=1, standby_size=2), shoppers(2)
    client = logged_in(bea)
    enter(client, item)
    win(item, rival)
    box = visible(client, item)
    assert ">Take a place on standby<" in box
    assert "All are reserved. Standby places left: 2" in box


def test_sold_out_is_said_and_the_button_is_hidden(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea, rival) = make_sale(quantity=1), shoppers(2)
    client = logged_in(bea)
    enter(client, item)
    win(item, rival)
    box = visible(client, item)
    assert "The only one is sold or reserved, and standby is full" in box
    assert 'type="submit" hidden data-buy' in box


def test_whoever_has_not_entered_a_sale_that_is_sold_out_is_led_elsewhere_first(
    client: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item = make_sale(quantity=1, standby_size=1)
    rivals = shoppers(2)
    assert 'data-gone="yes" hidden>' in client.get(address(item)).content.decode()
    win(item, rivals[0])
    assert 'data-gone="yes" hidden>' in client.get(address(item)).content.decode()
    attempt(item, rivals[1])
    page = client.get(address(item)).content.decode()
    assert 'data-gone="no" hidden>' in page
    shown = page.split('data-gone="yes">')[1]
    assert shown.index("Coming sales") < shown.index("Enter the sale")


def test_whoever_got_nothing_may_ask_for_a_mail_if_the_shop_has_no_more(
    make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea, rival) = make_sale(quantity=1), shoppers(2)
    win(item, rival)
    client, link = logged_in(bea), f'href="/notices/{item.variant.product_id}/"'
    result = address(item, "items", str(item.pk))
    assert link not in client.get(result).content.decode()
    type(item.variant).objects.filter(pk=item.variant_id).update(stock=0)
    assert link in client.get(result).content.decode()


def test_who_holds_one_is_led_to_the_payment(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    client = logged_in(bea)
    enter(client, item)
    (rid,) = win(item, bea)
    page = client.get(address(item))
    assert "one is yours until" in words(page)
    assert f"/sales/reservations/{rid}/" in page.content.decode()
    assert "data-buy" not in visible(client, item)


def test_a_paused_sale_says_since_when_and_that_places_are_kept(client: Client, make_sale: Make) -> None:
    item = make_sale(rate=5)
    scheduling.pause(sale_id=item.sale_id)
    told = f"The shop paused the sale at {hour(timezone.now())}. Your place is kept."
    scheduling.set_rate(sale_id=item.sale_id, rate=9)
    assert told in visible(client, item)
    scheduling.resume(sale_id=item.sale_id)
    assert told not in visible(client, item)


def test_an_ended_sale_says_when(client: Client, make_sale: Make) -> None:
    item = make_sale()
    scheduling.close_now(sale_id=item.sale_id)
    box = visible(client, item)
    assert "The sale ended" in box
    assert "Coming sales" in box


def test_without_the_store_a_running_sale_is_shown_as_paused(
    make_sale: Make, client: Client, silent_store: None
) -> None:
    item = make_sale(scheduled=False)
    change(item.sale, state="scheduled")
    text = visible(client, item)
    assert "The shop has paused the sale." in text
    assert "how many are left is not known at the moment" in words(client.get(address(item)))


def test_a_store_that_lost_the_sale_sells_nothing(make_sale: Make) -> None:
    item = make_sale(scheduled=False)
    change(item.sale, state="scheduled")
    shown = showing.show(sale=item.sale, user=None)
    assert (shown.phase, shown.knows_stock, shown.items[0].free) == ("paused", False, None)


@pytest.mark.parametrize(
    ("opens_in", "entered", "content"),
    [(30, False, "30"), (30, True, "30"), (1800, True, "60"), (1, True, "5")],
)
def test_without_script_the_page_looks_again_by_itself(
    make_sale: Make, shoppers: Crowd, opens_in: int, entered: bool, content: str
) -> None:
    item = make_sale(opens_at=timezone.now() + timedelta(seconds=opens_in + 0.9))
    client = logged_in(shoppers(1)[0])
    if entered:
        enter(client, item)
    page = client.get(address(item)).content.decode()
    assert f'<noscript><meta http-equiv="refresh" content="{content}"></noscript>' in page
    assert "http-equiv" not in client.get(address(item), {"refresh": "no"}).content.decode()


def test_a_page_with_a_button_never_reloads_by_itself(client: Client, make_sale: Make) -> None:
    assert "http-equiv" not in client.get(address(make_sale())).content.decode()


def test_the_pages_ask_the_database_as_often_for_many_sales_as_for_one(
    make_sale: Make, client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    item = make_sale()
    for _ in range(4):
        make_sale()
    for page, queries in [("/sales/", 3), (address(item), 3)]:
        with django_assert_num_queries(queries):
            assert client.get(page).status_code == 200


def test_a_shoppers_page_costs_four_queries_more(
    make_sale: Make, shoppers: Crowd, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    client = logged_in(bea)
    enter(client, item)
    client.get(address(item))
    attempt(item, bea)
    with django_assert_num_queries(6):
        assert client.get(address(item)).status_code == 200


def test_the_front_page_shows_what_runs_and_what_comes(client: Client, make_sale: Make) -> None:
    now = timezone.now()
    running = make_sale()
    coming = make_sale(opens_at=now + timedelta(hours=2), closes_at=now + timedelta(hours=3))
    text = words(client.get("/"))
    greeting, board = text.split("On sale now")
    assert f"Running now: {running.sale.title}" in greeting
    assert board.index(running.sale.title) < board.index(coming.sale.title)


def test_the_front_page_says_nothing_where_there_is_no_sale(client: Client) -> None:
    page = words(client.get("/"))
    assert "Good things for the house" in page
    assert "To the sale" not in page
    assert "On sale now" not in page
