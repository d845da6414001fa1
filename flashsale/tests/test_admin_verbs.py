"""What an operator does to a sale in the admin: schedule, pause, resume, end, watch."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from redis.exceptions import ConnectionError as StoreAway

from accounts.groups import ensure_groups
from accounts.models import User
from flashsale import audit, draining, stock
from flashsale.models import ParkedEntry, Sale, SaleItem
from flashsale.tests.conftest import attempt, win
from flashsale.tests.pages import logged_in, words

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]
VERBS = ["schedule", "close", "pause", "resume", "whitelist"]


def staff(group: str) -> Client:
    ensure_groups()
    user = User.objects.create_user(f"{group}@example.com", is_staff=True)
    user.groups.set(user.groups.model.objects.filter(name=group))
    return logged_in(user)


@pytest.fixture
def merchandiser(db: None) -> Client:
    return staff("merchandiser")


@pytest.fixture
def silent_store(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    def silence() -> None:
        def away(_call: Any) -> None:
            raise StoreAway("away")

        monkeypatch.setattr(stock, "run", away)

    return silence


def at(item: SaleItem, verb: str) -> str:
    return f"/admin/flashsale/sale/{item.sale_id}/{verb}/"


def do(client: Client, item: SaleItem, verb: str, /, **fields: str) -> str:
    """Do something to a sale; return what is said."""
    response = client.post(at(item, verb), fields, follow=True)
    assert response.status_code == 200
    return words(response) + " ".join(str(message) for message in response.context["messages"])


def seen_by(response: Any) -> str:
    """Return what the form of a page says that it has seen."""
    page: str = response.content.decode()
    return page.split('name="seen" value="')[1].split('"', maxsplit=1)[0]


def phase(item: SaleItem) -> str:
    status = stock.run(stock.status(item.sale_id, [item.pk]))
    assert status is not None
    return status.phase


def test_scheduling_says_first_what_it_will_do(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(quantity=3, scheduled=False)
    text = words(merchandiser.get(at(item, "schedule")))
    assert f"{item.variant}: ordinary stock goes from 13 to 10." in text
    assert Sale.objects.get().state == Sale.State.DRAFT


def test_scheduling_moves_the_units_and_says_so(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(quantity=3, scheduled=False)
    assert "is scheduled: 3 units have left ordinary stock." in do(merchandiser, item, "schedule")
    item.variant.refresh_from_db()
    assert (item.variant.stock, phase(item)) == (10, "open")


def test_scheduling_twice_is_refused_with_a_sentence(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(quantity=3)
    assert "This sale was scheduled before." in do(merchandiser, item, "schedule")
    item.variant.refresh_from_db()
    assert item.variant.stock == 10


def test_a_plan_that_was_changed_since_its_page_was_drawn_is_not_scheduled(
    merchandiser: Client, make_sale: Make
) -> None:
    item = make_sale(quantity=3, scheduled=False)
    old = seen_by(merchandiser.get(at(item, "schedule")))
    audit.note(sale=item.sale, by=User.objects.create_user("ann@example.com"), what="Changed Quantity.")
    assert "ago, and your page did not show it: Changed Quantity." in do(
        merchandiser, item, "schedule", seen=old
    )
    item.variant.refresh_from_db()
    assert (Sale.objects.get().state, item.variant.stock) == (Sale.State.DRAFT, 13)
    new = seen_by(merchandiser.get(at(item, "schedule")))
    assert "is scheduled: 3 units have left ordinary stock." in do(merchandiser, item, "schedule", seen=new)


def test_scheduling_works_while_the_store_is_silent(
    merchandiser: Client, make_sale: Make, silent_store: Callable[[], None]
) -> None:
    item = make_sale(scheduled=False)
    silent_store()
    assert "is scheduled" in do(merchandiser, item, "schedule")
    assert Sale.objects.get().state == Sale.State.SCHEDULED


def test_pausing_and_resuming_say_who_holds(merchandiser: Client, make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=3), shoppers(2)
    win(item, *crowd)
    assert "2 shoppers hold a unit; their deadlines go on." in do(merchandiser, item, "pause")
    assert phase(item) == "paused"
    assert "goes on." in do(merchandiser, item, "resume")
    assert phase(item) == "open"


def test_pausing_while_the_store_is_silent_is_noted(
    merchandiser: Client, make_sale: Make, silent_store: Callable[[], None]
) -> None:
    item = make_sale()
    silent_store()
    assert "is marked as paused, but its memory does not answer." in do(merchandiser, item, "pause")
    assert Sale.objects.get().paused
    assert "stays paused: its memory does not answer." in do(merchandiser, item, "resume")
    assert Sale.objects.get().paused


def test_a_draft_is_neither_paused_nor_resumed(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(scheduled=False)
    for verb in ("pause", "resume"):
        assert "is not running and not about to." in do(merchandiser, item, verb)
    assert not Sale.objects.get().paused


def test_a_link_alone_does_nothing(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale()
    assert merchandiser.get(at(item, "pause")).status_code == 405
    Sale.objects.update(paused=True)
    assert merchandiser.get(at(item, "resume")).status_code == 200
    assert Sale.objects.get().paused


def test_ending_asks_for_the_name(merchandiser: Client, make_sale: Make, shoppers: Crowd) -> None:
    item, (bea,) = make_sale(quantity=3), shoppers(1)
    win(item, bea)
    text = words(merchandiser.get(at(item, "close")))
    assert "1 shopper keeps a deadline. 2 free units return to ordinary stock." in text
    assert "This is not the name of this sale." in do(merchandiser, item, "close", name="Another")
    assert phase(item) == "open"


def test_ending_says_how_many_wait_and_repeats_it_on_the_button(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item, crowd = make_sale(quantity=30, rate=1), shoppers(9)
    attempt(item, *crowd)
    text = words(merchandiser.get(at(item, "close")))
    assert "people wait in line and are told." in text
    assert "End the sale, tell " in text


def test_ending_keeps_the_holders_and_returns_the_rest(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea,) = make_sale(quantity=3), shoppers(1)
    win(item, bea)
    assert "has ended." in do(merchandiser, item, "close", name=item.sale.title)
    item.refresh_from_db()
    item.variant.refresh_from_db()
    assert (item.held, item.returned, item.variant.stock) == (1, 2, 12)
    assert phase(item) == "ended"


def test_a_sale_that_has_ended_is_not_ended_again(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(quantity=3)
    do(merchandiser, item, "close", name=item.sale.title)
    text = do(merchandiser, item, "close", name=item.sale.title)
    assert "Only a scheduled sale that has not ended can be closed." in text


def test_the_figures_of_both_stores_stand_above_the_form(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item, crowd = make_sale(quantity=3, standby_size=5), shoppers(4)
    attempt(item, *crowd)
    text = words(merchandiser.get(at(item, "change")))
    assert "The stores differ by what is on its way between them." in text
    assert "PostgreSQL 3 3 0 0 0 – Memory 3 0 3 0 0 1" in text
    draining.drain_once(sale_id=item.sale_id)
    text = words(merchandiser.get(at(item, "change")))
    assert "Both stores say the same." in text
    assert "PostgreSQL 3 0 3 0 0 – Memory 3 0 3 0 0 1" in text


def test_a_silent_store_is_said_above_the_form(
    merchandiser: Client, make_sale: Make, silent_store: Callable[[], None]
) -> None:
    item = make_sale()
    silent_store()
    assert "The sale's memory does not answer." in words(merchandiser.get(at(item, "change")))


def test_a_store_that_does_not_know_the_sale_is_said(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(scheduled=False)
    Sale.objects.update(state=Sale.State.SCHEDULED)
    text = words(merchandiser.get(at(item, "change")))
    assert "The memory does not know this sale: nobody can reserve." in text


@pytest.mark.parametrize("verb", ["pause", "resume", "schedule"])
def test_the_list_does_it_to_several_sales(merchandiser: Client, make_sale: Make, verb: str) -> None:
    first, second = make_sale(scheduled=verb != "schedule"), make_sale(scheduled=verb != "schedule")
    fields = {"action": verb, "_selected_action": [first.sale_id, second.sale_id]}
    response = merchandiser.post("/admin/flashsale/sale/", fields, follow=True)
    said = [str(message) for message in response.context["messages"]]
    assert len(said) == 2
    assert {phase(first), phase(second)} == {"paused" if verb == "pause" else "open"}


@pytest.mark.parametrize("verb", VERBS)
def test_support_changes_no_sale(make_sale: Make, verb: str) -> None:
    item = make_sale()
    assert staff("support").post(at(item, verb), {"title": item.sale.title}).status_code == 403
    assert phase(item) == "open"


@pytest.mark.parametrize("verb", VERBS)
def test_a_shopper_finds_no_way_in(make_sale: Make, shoppers: Crowd, verb: str) -> None:
    item = make_sale()
    response = logged_in(shoppers(1)[0]).post(at(item, verb))
    assert response["Location"].startswith("/admin/login/")
    assert phase(item) == "open"


@pytest.mark.parametrize("verb", VERBS)
def test_a_sale_that_is_not_there_is_not_found(merchandiser: Client, verb: str) -> None:
    assert merchandiser.post(f"/admin/flashsale/sale/99/{verb}/").status_code == 404


def test_reservations_standby_and_parked_entries_are_only_read(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item, crowd = make_sale(quantity=1, standby_size=1), shoppers(2)
    (rid,) = win(item, crowd[0])
    attempt(item, crowd[1])
    draining.drain_once(sale_id=item.sale_id)
    ParkedEntry.objects.create(sale=item.sale, entry_id="7-0", fields={}, error="no such user")
    for model, text in (
        ("reservation", rid),
        ("standbyentry", crowd[1].email),
        ("parkedentry", "no such user"),
    ):
        page = merchandiser.get(f"/admin/flashsale/{model}/")
        assert text in words(page)
        assert merchandiser.get(f"/admin/flashsale/{model}/add/").status_code == 403


def test_the_list_of_reservations_is_filtered_and_searched(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item, (bea, rival) = make_sale(), shoppers(2)
    first, second = win(item, bea, rival)
    for query in ({"q": bea.email}, {"q": first}, {"q": bea.email, "status__exact": "held"}):
        text = words(merchandiser.get("/admin/flashsale/reservation/", query))
        assert first in text
        assert second not in text
