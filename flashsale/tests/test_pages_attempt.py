"""A sale is won without JavaScript: the attempt as a form, its results, and standby."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django import Settings
from redis.exceptions import ConnectionError as StoreAway

from accounts.models import User
from flashsale import draining, reservations, scheduling, stock
from flashsale.models import Reservation, SaleItem, StandbyEntry
from flashsale.tests.conftest import attempt, pay, units, win
from flashsale.tests.pages import address, enter, logged_in, press, words

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


def result(client: Client, item: SaleItem) -> Any:
    return client.get(address(item, "items", str(item.pk)))


def ready(user: User, item: SaleItem) -> Client:
    """A browser that has entered the sale."""
    client = logged_in(user)
    enter(client, item)
    return client


def test_a_press_wins_a_unit_and_leads_to_it(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(quantity=3), shoppers(1)
    response = press(ready(bea, item), item)
    assert response["Location"] == f"/sales/reservations/{item.pk}-1-1/"
    assert units(item) == (2, 1, 0, 0)


def test_pressing_again_gives_the_same_unit(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(quantity=3), shoppers(1)
    client = ready(bea, item)
    assert press(client, item)["Location"] == press(client, item)["Location"]
    assert units(item) == (2, 1, 0, 0)


def test_who_comes_too_late_stands_by_and_is_told_the_position(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=1, standby_size=5), shoppers(4)
    attempt(item, *crowd[:3])
    client = ready(crowd[3], item)
    assert press(client, item)["Location"] == address(item, "items", str(item.pk))
    assert "You are number 3 on standby" in words(result(client, item))


def test_the_position_moves_up_when_somebody_before_leaves(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=1, standby_size=5), shoppers(3)
    attempt(item, *crowd)
    client = logged_in(crowd[2])
    assert "You are number 2 on standby" in words(result(client, item))
    stock.run(stock.leave(item.sale_id, item.pk, user=crowd[1].pk))
    assert "You are number 1 on standby" in words(result(client, item))


def test_a_place_on_standby_is_given_up(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=1, standby_size=5), shoppers(2)
    attempt(item, *crowd)
    client = logged_in(crowd[1])
    response = client.post(address(item, "items", str(item.pk), "leave"), follow=True)
    assert "You have left standby. Everybody behind you moved up." in words(response)
    draining.drain_once(sale_id=item.sale_id)
    assert StandbyEntry.objects.get(user=crowd[1]).status == StandbyEntry.Status.LEFT
    again = client.post(address(item, "items", str(item.pk), "leave"), follow=True)
    assert "You were not on standby any more." in words(again)


def test_whoever_is_promoted_is_led_to_the_unit(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=1, standby_size=5), shoppers(2)
    (rid,) = win(item, crowd[0])
    attempt(item, crowd[1])
    stock.run(stock.release(item.sale_id, item.pk, user=crowd[0].pk, rid=rid))
    response = result(logged_in(crowd[1]), item)
    assert response["Location"] == f"/sales/reservations/{item.pk}-1-2/"


def test_sold_out_is_an_answer(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=1), shoppers(2)
    attempt(item, crowd[0])
    response = press(ready(crowd[1], item), item)
    text = words(logged_in(crowd[1]).get(response["Location"]))
    assert text.startswith(f"{item.sale.title} Sold out")
    assert "Waiting is over; nothing was charged." in text


def test_too_early_is_told_the_time(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(opens_at=timezone.now() + timedelta(minutes=10)), shoppers(1)
    client = ready(bea, item)
    client.get(address(item))
    response = press(client, item)
    assert response["Location"] == address(item)
    assert "Not yet. The sale opens " in words(client.get(address(item)))
    assert units(item) == (3, 0, 0, 0)


def test_too_late_is_told_so(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    client = ready(bea, item)
    scheduling.close_now(sale_id=item.sale_id)
    text = words(client.get(press(client, item)["Location"]))
    assert "The sale has ended" in text
    assert "You hold no unit of it, and nothing was charged." in text


def test_a_paused_sale_answers_503_and_when_to_come_back(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    client = ready(bea, item)
    scheduling.pause(sale_id=item.sale_id)
    response = press(client, item)
    assert (response.status_code, response["Retry-After"]) == (503, "2")
    assert "Pressing again is safe: you never get two." in words(response)


def test_a_store_that_lost_the_sale_promises_nothing(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=1, standby_size=1), shoppers(2)
    attempt(item, *crowd)
    client = logged_in(crowd[1])
    assert "You are number 1 on standby" in words(result(client, item))
    get_redis_connection("sale").flushdb()
    text = words(result(client, item))
    assert (
        "The sale is paused The shop has paused the sale. Your place is kept."
        " The memory of the sale does not answer. Everything that was reserved is kept." in text
    )


@pytest.mark.parametrize("page", ["", "attempt", "leave"])
def test_a_silent_store_is_a_page_and_never_an_error(
    make_sale: Make, shoppers: Crowd, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    client = ready(bea, item)

    def away(_call: Any) -> None:
        raise StoreAway("away")

    monkeypatch.setattr(stock, "run", away)
    where = address(item, "items", str(item.pk), *([page] if page else []))
    response = client.post(where) if page else client.get(where)
    assert (response.status_code, response["Retry-After"]) == (503, "2")


def test_too_many_tries_in_a_minute_wait(make_sale: Make, shoppers: Crowd, settings: Settings) -> None:
    item, (bea,) = make_sale(quantity=1), shoppers(1)
    settings.ATTEMPTS_PER_MINUTE = 3
    client = ready(bea, item)
    answers = [press(client, item).status_code for _ in range(4)]
    assert answers == [302, 302, 302, 429]
    assert 1 <= int(press(client, item)["Retry-After"]) <= 60


def test_who_has_not_entered_enters_first(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    assert press(logged_in(bea), item)["Location"] == address(item, "enter")
    assert units(item) == (3, 0, 0, 0)


def test_a_guest_logs_in_and_comes_back_to_the_sale(client: Client, make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    where = address(item, "items", str(item.pk), "attempt")
    assert press(client, item)["Location"] == f"/accounts/login/?next={where}"
    assert logged_in(bea).get(where)["Location"] == address(item)


def test_who_was_blocked_after_entering_gets_nothing(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    client = ready(bea, item)
    User.objects.filter(pk=bea.pk).update(standing=User.Standing.BLOCKED)
    assert press(client, item).status_code == 403
    assert units(item) == (3, 0, 0, 0)


def test_a_press_without_the_forms_token_does_nothing(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    client = ready(bea, item)
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    assert press(strict, item).status_code == 403
    assert units(item) == (3, 0, 0, 0)


@pytest.mark.parametrize("page", ["", "attempt", "leave"])
def test_an_item_of_another_sale_is_not_found(make_sale: Make, shoppers: Crowd, page: str) -> None:
    item, other = make_sale(), make_sale()
    client = ready(shoppers(1)[0], item)
    where = address(item, "items", str(other.pk), *([page] if page else []))
    assert (client.post(where) if page else client.get(where)).status_code == 404


def test_a_draft_cannot_be_tried(make_sale: Make, shoppers: Crowd) -> None:
    item = make_sale(scheduled=False)
    assert press(logged_in(shoppers(1)[0]), item).status_code == 404


def test_the_form_and_the_gate_give_one_unit_between_them(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(), shoppers(1)
    first = attempt(item, bea)[0]
    assert press(ready(bea, item), item)["Location"] == f"/sales/reservations/{first.rid}/"
    draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.filter(user=bea).count() == 1


def test_a_limit_of_two_sells_a_second_one_after_the_first_is_paid(make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(limit=2), shoppers(1)
    (rid,) = win(item, bea)
    stock.run(stock.pay(item.sale_id, item.pk, user=bea.pk, rid=rid))
    assert press(ready(bea, item), item)["Location"] == f"/sales/reservations/{item.pk}-1-2/"


def standby_page(make_sale: Make, shoppers: Crowd) -> tuple[SaleItem, list[User], str, Client]:
    """One unit that the first holds, and a second shopper who stands by for it."""
    item, crowd = make_sale(quantity=1, standby_size=5), shoppers(2)
    (rid,) = win(item, crowd[0])
    attempt(item, crowd[1])
    draining.drain_once(sale_id=item.sale_id)
    return item, crowd, rid, logged_in(crowd[1])


def test_standby_says_until_when_it_can_happen_and_where_the_mail_goes(
    make_sale: Make, shoppers: Crowd
) -> None:
    item, crowd, rid, client = standby_page(make_sale, shoppers)
    text = words(result(client, item))
    last = Reservation.objects.get(rid=rid).pay_by
    assert f"If somebody does not pay by {last:%H:%M} UTC, the next in order gets the unit." in text
    assert "We will tell you here and by e-mail; then you have 10 minutes to pay." in text
    assert "The mail goes to s•••@example.com." in text
    assert crowd[1].email not in text


def test_all_are_paid_is_told_to_whoever_stood_by(make_sale: Make, shoppers: Crowd) -> None:
    item, _, rid, client = standby_page(make_sale, shoppers)
    pay(rid)
    text = words(result(client, item))
    assert "All are paid, standby is closed" in text
    assert "Your wait is over; nothing was charged." in text


def test_the_end_tells_the_own_outcome_first(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd, rid, client = standby_page(make_sale, shoppers)
    scheduling.close_now(sale_id=item.sale_id)
    assert "You had standby number 1 for" in words(result(client, item))
    reservations.give_back(user=crowd[0], rid=rid)
    text = words(result(logged_in(crowd[0]), item))
    assert "gave it back. See how it went It ended" in text


def test_whoever_was_passed_over_is_led_to_the_reason(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd, rid, client = standby_page(make_sale, shoppers)
    User.objects.filter(pk=crowd[1].pk).update(standing=User.Standing.BLOCKED)
    reservations.give_back(user=crowd[0], rid=rid)
    draining.drain_once(sale_id=item.sale_id)
    assert result(client, item)["Location"] == f"/sales/reservations/{item.pk}-1-2/"


def test_sold_out_says_how_quickly(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=2, opens_at=timezone.now() - timedelta(seconds=41)), shoppers(3)
    win(item, *crowd[:2])
    assert "went within 41 seconds" in words(result(logged_in(crowd[2]), item))


def test_a_page_without_script_looks_again_and_can_be_told_to_stop(make_sale: Make, shoppers: Crowd) -> None:
    item, _, _, client = standby_page(make_sale, shoppers)
    body = result(client, item).content.decode()
    assert '<noscript><meta http-equiv="refresh" content="30">' in body
    assert "Stop refreshing" in body
    assert (
        "http-equiv" not in client.get(address(item, "items", str(item.pk)) + "?refresh=no").content.decode()
    )
