"""The line of a sale in the admin: planned, watched, steered."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as StoreAway

from accounts.models import User
from flashsale import audit, operating, pacing, scheduling, stock
from flashsale.errors import Stale
from flashsale.models import Sale, SaleItem
from flashsale.queue import Queue
from flashsale.tests.conftest import attempt
from flashsale.tests.pages import logged_in, words
from flashsale.tests.test_admin_sale import TOMORROW, add, typed
from flashsale.tests.test_admin_verbs import at, do, staff
from shop.orders.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


@pytest.fixture
def merchandiser(db: None) -> Client:
    return staff("merchandiser")


def queue_of(item: SaleItem) -> Queue:
    status = stock.run(stock.status(item.sale_id, []))
    assert status is not None
    assert status.queue is not None
    return status.queue


def seen(item: SaleItem) -> str:
    return str(audit.latest(item.sale))


def save(client: Client, item: SaleItem, **fields: str) -> str:
    """Send the form of a sale that has opened; return what is said."""
    sent = typed(item.sale.opens_at, closes_at=item.sale.closes_at, **fields)
    response = client.post(at(item, "change"), sent, follow=True)
    return words(response) + " ".join(str(message) for message in response.context["messages"])


# Planned


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"queue_limit": "5"}, "Without an admission rate there is no line."),
        ({"tie_band": "100"}, "Give one, or set 0."),
        ({"shuffle_at_open": "on"}, "Give one first."),
        ({"rate": "200", "queue_limit": "0"}, "Let at least one wait, or leave it empty for no limit."),
        ({"rate": "200", "tie_band": "1001"}, "A tie band is at most a second, which is 1000 ms."),
    ],
)
def test_a_line_that_does_not_fit_is_refused_with_a_sentence(
    merchandiser: Client, fields: dict[str, str], sentence: str
) -> None:
    response = add(merchandiser, **fields)
    assert sentence in words(response)
    assert "lots_need_a_rate" not in words(response)
    assert not Sale.objects.exists()


def test_a_line_is_planned_and_its_form_says_what_it_comes_to(merchandiser: Client) -> None:
    fields = {"rate": "200", "queue_limit": "50000", "tie_band": "100", "shuffle_at_open": "on"}
    assert add(merchandiser, **fields).status_code == 302
    sale = Sale.objects.get()
    assert (sale.rate, sale.queue_limit, sale.tie_band, sale.shuffle_at_open) == (200, 50_000, 100, True)
    text = words(merchandiser.get(f"/admin/flashsale/sale/{sale.pk}/change/"))
    assert "200 a second: the first 200 are served at once." in text
    assert "The 10,000th is served about 49 seconds after the opening." in text
    assert "Until the sale closes at most 720,200 people are served." in text


def test_the_form_says_that_without_a_rate_nobody_waits(merchandiser: Client, make_sale: Make) -> None:
    text = words(merchandiser.get(at(make_sale(scheduled=False), "change")))
    assert "No limit: everybody is served at once and nobody waits in line." in text


def test_before_the_opening_everything_about_the_line_may_be_changed(
    merchandiser: Client, make_sale: Make
) -> None:
    opens_at = (timezone.now() + TOMORROW).replace(microsecond=0)
    item = make_sale(opens_at=opens_at, closes_at=opens_at + TOMORROW)
    fields = typed(opens_at, rate="5", tie_band="50", shuffle_at_open="on", queue_limit="9")
    assert merchandiser.post(at(item, "change"), fields).status_code == 302
    queue = queue_of(item)
    assert (queue.rate, queue.tie_band, queue.lots_at_open, queue.limit) == (5, 50, True, 9)


@pytest.mark.parametrize("fields", [{"tie_band": "50"}, {"shuffle_at_open": "on"}, {"rate": "9"}])
def test_a_page_from_before_the_opening_changes_no_order(
    merchandiser: Client, make_sale: Make, fields: dict[str, str]
) -> None:
    item = make_sale(rate=5)
    text = save(merchandiser, item, **({"rate": "5", "title": "New name"} | fields))
    assert "Nothing was saved. The sale has opened: people have their places in line" in text
    item.sale.refresh_from_db()
    assert (item.sale.rate, item.sale.tie_band, item.sale.shuffle_at_open) == (5, 0, False)
    assert item.sale.title != "New name"


def test_once_it_has_opened_the_form_says_why_the_order_is_fixed(
    merchandiser: Client, make_sale: Make
) -> None:
    page = merchandiser.get(at(make_sale(rate=5), "change"))
    assert "So the order stays as it is." in words(page)
    body = page.content.decode()
    assert 'name="tie_band"' not in body
    assert 'name="queue_limit"' in body


def test_the_longest_line_may_be_changed_in_mid_sale(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item = make_sale(quantity=9, rate=1, queue_limit=1)
    assert [answer.outcome for answer in attempt(item, *shoppers(3))][2] == "full"
    save(merchandiser, item, queue_limit="5")
    assert attempt(item, *shoppers(1))[0].outcome == "queued"


# Watched


def test_the_figures_of_the_line_stand_above_the_form(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item = make_sale(quantity=9, rate=1)
    attempt(item, *shoppers(5))
    scheduling.pause(sale_id=item.sale_id)
    text = words(merchandiser.get(at(item, "change")))
    assert "Tickets issued Served Waiting Turn of the last in line Rate set" in text
    assert "5 1 4 unknown while it is paused 1 a second" in text
    assert "If it goes on now: 4 people wait in line; at 1 a second the last is served" in text


def test_where_nobody_ever_waits_there_are_no_figures_of_a_line(
    merchandiser: Client, make_sale: Make
) -> None:
    assert "Tickets issued" not in words(merchandiser.get(at(make_sale(), "change")))


# Steered


def test_another_rate_is_said_first_and_changes_nothing_then(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item = make_sale(quantity=99, rate=1)
    attempt(item, *shoppers(61))
    turn = pacing.look(item.sale)
    assert turn is not None
    text = words(merchandiser.get(at(item, "rate"), {"rate": "10"}))
    assert "It serves 1 a second now." in text
    assert "60 people wait in line." in text
    assert f"Last in line: {turn.last_turn()} → " in text
    assert "Serve 10 a second, not 1 a second" in text
    assert queue_of(item).rate == 1


def test_another_rate_is_set_and_both_turns_are_said(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item = make_sale(quantity=99, rate=1)
    attempt(item, *shoppers(61))
    before = queue_of(item).turn_at(61)
    text = do(merchandiser, item, "rate", rate="10", seen=seen(item))
    assert "serves 10 a second since" in text
    assert "Last in line: " in text
    assert "Back to 1 a second…" in text
    after = queue_of(item)
    assert after.rate == 10
    assert before - after.turn_at(61) > 50_000
    item.sale.refresh_from_db()
    assert item.sale.rate == 10
    assert "Rate: 1 a second → 10 a second." in words(merchandiser.get(at(item, "history")))


def test_what_is_said_first_is_what_happens(make_sale: Make, shoppers: Crowd) -> None:
    item = make_sale(quantity=99, rate=2)
    attempt(item, *shoppers(31))
    line = pacing.look(item.sale)
    assert line is not None
    said = line.last_turn_at(7)
    scheduling.set_rate(sale_id=item.sale_id, rate=7)
    after = pacing.look(item.sale)
    assert after is not None
    seconds = [int(text.split()[0].rpartition(":")[2]) for text in (said, after.last_turn())]
    assert (seconds[1] - seconds[0]) % 60 <= 1


def test_those_who_are_served_too_late_are_counted(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item = make_sale(quantity=99, rate=20, closes_at=timezone.now() + timedelta(seconds=30))
    attempt(item, *shoppers(80))
    text = words(merchandiser.get(at(item, "rate"), {"rate": "1"}))
    assert "of them are served." in text


@pytest.mark.parametrize(
    ("rate", "sentence"),
    [
        ("0", "to serve nobody, pause the sale."),
        ("5", "This is its rate already. Nothing was done."),
        ("1000001", "Serve at most a million a second"),
        ("many", "Write a whole number such as 200."),
        ("", "This sale draws lots, so it needs an admission rate."),
    ],
)
def test_a_rate_that_does_not_fit_is_refused_with_a_sentence(
    merchandiser: Client, make_sale: Make, rate: str, sentence: str
) -> None:
    item = make_sale(rate=5, tie_band=100)
    assert sentence in words(merchandiser.get(at(item, "rate"), {"rate": rate}))
    assert sentence in words(merchandiser.post(at(item, "rate"), {"rate": rate, "seen": seen(item)}))
    assert queue_of(item).rate == 5


def test_the_rate_of_a_sale_that_has_not_opened_stands_on_its_form(
    merchandiser: Client, make_sale: Make
) -> None:
    item = make_sale(rate=5, opens_at=timezone.now() + TOMORROW, closes_at=timezone.now() + 2 * TOMORROW)
    assert "its rate is changed on its form." in do(merchandiser, item, "rate", rate="9", seen="0")
    assert queue_of(item).rate == 5


def test_a_stale_page_sets_no_rate_and_is_told_the_news(merchandiser: Client, make_sale: Make) -> None:
    item, other = make_sale(rate=5), User.objects.create_user("mei.other@example.com", is_staff=True)
    old = seen(item)
    pacing.set_rate(sale=item.sale, rate=7, by=other, seen=None)
    text = do(merchandiser, item, "rate", rate="9", seen=old)
    assert "Nothing was done. mei.other@example.com did this" in text
    assert "your page did not show it: Rate: 5 a second → 7 a second." in text
    assert queue_of(item).rate == 7
    assert "serves 9 a second" in do(merchandiser, item, "rate", rate="9", seen=seen(item))


def test_a_stale_page_resumes_nothing_but_pauses_at_once(merchandiser: Client, make_sale: Make) -> None:
    item, other = make_sale(rate=5), User.objects.create_user("mei.other@example.com", is_staff=True)
    old = seen(item)
    operating.pause(sale=item.sale, by=other)
    assert "your page did not show it: Paused." in do(merchandiser, item, "resume", seen=old)
    assert Sale.objects.get().paused
    assert "goes on." in do(merchandiser, item, "resume", seen=seen(item))
    assert "was paused at" in do(merchandiser, item, "pause", seen=old)
    assert Sale.objects.get().paused


def test_pausing_and_resuming_say_who_waits_until_when(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item = make_sale(quantity=99, rate=1)
    attempt(item, *shoppers(31))
    assert "30 people wait in line and keep their places." in do(merchandiser, item, "pause")
    text = do(merchandiser, item, "resume", seen=seen(item))
    assert "30 people wait in line; at 1 a second the last is served" in text


def test_a_rate_that_the_silent_store_did_not_hear_is_said(
    merchandiser: Client, make_sale: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale(rate=5)

    def away(_call: Any) -> None:
        raise StoreAway("away")

    monkeypatch.setattr(stock, "run", away)
    text = do(merchandiser, item, "rate", rate="9", seen=seen(item))
    assert "is to serve 9 a second, and does as soon as its memory answers again." in text
    monkeypatch.undo()
    scheduling.warm(sale_id=item.sale_id)
    assert queue_of(item).rate == 9


def test_only_who_may_change_sales_changes_a_rate(make_sale: Make, shoppers: Crowd) -> None:
    item, support = make_sale(rate=5), staff("support")
    assert support.post(at(item, "rate"), {"rate": "9"}).status_code == 403
    assert support.get(at(item, "rate"), {"rate": "9"}).status_code == 403
    response = logged_in(shoppers(1)[0]).post(at(item, "rate"), {"rate": "9"})
    assert response["Location"].startswith("/admin/login/")
    assert queue_of(item).rate == 5


# Two who press at the same moment


def press_twice(item: SaleItem) -> list[str]:
    """Two operators who saw the same page set a rate at once; return how each of them fared."""
    seen_by_both = audit.latest(item.sale)
    people = User.objects.bulk_create(
        [User(email=f"mei-{seen_by_both}-{n}@example.com", password="!", is_staff=True) for n in range(2)]
    )

    def press(by: User) -> str:
        try:
            audit.claim(sale=item.sale, by=by, what="pressed", seen=seen_by_both)
        except Stale:
            return "refused"
        return "done"

    return sorted(at_once([partial(press, by) for by in people]))


def test_of_two_who_press_at_the_same_moment_one_is_refused(make_sale: Make) -> None:
    item = make_sale(rate=5)
    audit.note(sale=item.sale, by=User.objects.create_user("first@example.com"), what="something")
    assert [press_twice(item) for _ in range(3)] == [["done", "refused"]] * 3


def test_control_without_the_lock_both_do_it(make_sale: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    item, both, note = make_sale(rate=5), Barrier(2, timeout=10), audit.note
    note(sale=item.sale, by=User.objects.create_user("first@example.com"), what="something")
    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)

    def meet(**fields: Any) -> None:
        both.wait()
        note(**fields)

    monkeypatch.setattr(audit, "note", meet)
    assert press_twice(item) == ["done", "done"]
