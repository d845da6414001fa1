"""The live page of a sale in the admin: figures that add up, buttons that call what commands call."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from redis.exceptions import ConnectionError as StoreAway

from accounts.models import User
from flashsale import audit, draining, operating, sampling, scheduling, stock
from flashsale.models import Reservation, Sale, SaleItem
from flashsale.tests.conftest import attempt, pay, units, win
from flashsale.tests.pages import words
from flashsale.tests.test_admin_verbs import at, do, staff

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


@pytest.fixture
def merchandiser(db: None) -> Client:
    return staff("merchandiser")


def live(client: Client, item: SaleItem, *more: str) -> str:
    cache.clear()
    return words(client.get(at(item, "/".join(["live", *more]))))


def test_the_sum_adds_up_in_every_frame_of_a_sale(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item, crowd = make_sale(quantity=3, standby_size=5), shoppers(4)
    assert "quantity 3 = free 3 + held 0 + paid 0 + returned 0" in live(merchandiser, item)
    rids = win(item, *crowd[:3])
    attempt(item, crowd[3])
    assert "quantity 3 = free 0 + held 3 + paid 0 + returned 0" in (text := live(merchandiser, item))
    assert "adds up in both stores standby 1 of 5" in text
    pay(rids[0])
    assert "quantity 3 = free 0 + held 2 + paid 1 + returned 0" in live(merchandiser, item)


def test_a_unit_that_is_on_its_way_is_named(merchandiser: Client, make_sale: Make, shoppers: Crowd) -> None:
    item = make_sale(quantity=3)
    attempt(item, *shoppers(2))
    assert "PostgreSQL is 2 units behind (0 s)." in live(merchandiser, item)
    draining.drain_once(sale_id=item.sale_id)
    assert "adds up in both stores" in live(merchandiser, item)


def test_a_silent_store_is_said_and_the_rows_are_shown(
    merchandiser: Client, make_sale: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale(quantity=3)

    monkeypatch.setattr(stock, "run", _raise)
    text = live(merchandiser, item)
    assert "The sale's memory does not answer: these are the figures of PostgreSQL." in text
    assert "quantity 3 = free 3" in text


def _raise(_call: object) -> None:
    raise StoreAway


def test_charts_have_a_sentence_a_table_and_a_csv_that_say_the_same(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item = make_sale(quantity=3)
    sampling.take()
    win(item, *shoppers(2))
    stock.run(stock.count(item.sale_id, {"reserved": 2, "sold_out": 40}, [1, 2]))
    sampling.take()
    text = live(merchandiser, item)
    assert "2 of 3 units are held, paid or returned at" in text
    assert "42 attempts were answered." in text
    response = merchandiser.get(at(item, "live/units.csv").removesuffix("/"))
    rows = list(csv.reader(io.StringIO(response.content.decode())))
    assert rows[0] == ["Time", "Paid", "Held", "Returned", "Free"]
    assert [row[1:] for row in rows[1:]] == [["0", "0", "0", "3"], ["0", "2", "0", "1"]]
    rows = list(
        csv.reader(io.StringIO(merchandiser.get(at(item, "live/outcomes.csv")[:-1]).content.decode()))
    )
    assert rows[1:] == [["Reserved", "2", "2 of 42"], ["Sold out", "40", "40 of 42"]]
    assert merchandiser.get(at(item, "live/nothing.csv")[:-1]).status_code == 404


def test_a_line_is_drawn_only_for_a_sale_that_has_or_had_one(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    item, lined = make_sale(quantity=3), make_sale(quantity=3, rate=1)
    assert "tickets issued and served" not in live(merchandiser, item)
    assert merchandiser.get(at(item, "live/line.csv")[:-1]).status_code == 404
    assert "Nobody has waited in line." in live(merchandiser, lined)
    attempt(lined, *shoppers(3))
    sampling.take()
    scheduling.set_rate(sale_id=lined.sale_id, rate=None)
    assert "The line was never longer than" in live(merchandiser, lined)


def test_whoever_looks_second_is_shown_the_same_drawing(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale()
    cache.clear()
    first, second = (merchandiser.get(at(item, "live")).content.decode() for _ in range(2))
    assert first.count("<svg") == second.count("<svg") > 0
    assert "&lt;" not in second


def test_another_operator_on_the_page_is_named(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale()
    cache.clear()
    merchandiser.get(at(item, "live"))
    assert "On this page: boss@example.com, merchandiser@example.com." in words(
        staff_again().get(at(item, "live"))
    )


def staff_again() -> Client:
    client = Client()
    boss = User.objects.create_superuser("boss@example.com")
    client.force_login(boss, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_each_action_leaves_one_entry_with_before_and_after(
    merchandiser: Client, make_sale: Make, shoppers: Crowd
) -> None:
    now = timezone.now()
    item = make_sale(
        opens_at=now + timedelta(hours=1), closes_at=now + timedelta(hours=3), quantity=2, rate=5
    )
    later = (now + timedelta(hours=9)).replace(microsecond=0)
    assert "is open since" in do(merchandiser, item, "open")
    end = {"closes_at_0": f"{later:%Y-%m-%d}", "closes_at_1": f"{later:%H:%M:%S}"}
    assert "ends" in do(merchandiser, item, "end", **end)
    assert "4 units were added." in do(merchandiser, item, "add", item=str(item.pk), units="4")
    assert "goes on" not in do(merchandiser, item, "pause")
    assert "goes on." in do(merchandiser, item, "resume")
    assert "serves 9 a second" in do(merchandiser, item, "rate", rate="9")
    (rid,) = win(item, *shoppers(1))
    assert "was released" in do(merchandiser, item, "release", rid=rid, reason="asked")
    changes = [(one.change.before, one.change.after, one.change.reason) for one in audit.log(item.sale)]
    assert changes[0] == ("Held", "released", "The shopper asked for it")
    assert changes[1:4] == [
        ("5 a second", "9 a second", ""),
        ("paused", "running", ""),
        ("running", "paused", ""),
    ]
    assert changes[4] == ("2", "6", "")
    assert len(changes) == 7
    assert all(before and after for before, after, _reason in changes)
    assert Sale.objects.get().closes_at == later


@pytest.mark.parametrize(
    ("verb", "fields"),
    [
        ("open", {}),
        ("end", {"closes_at_0": "2099-01-01", "closes_at_1": "10:00:00"}),
        ("add", {"units": "1"}),
        ("close", {"name": "TITLE"}),
    ],
)
def test_a_stale_form_is_refused_with_the_news(
    merchandiser: Client, make_sale: Make, verb: str, fields: dict[str, str]
) -> None:
    now = timezone.now()
    item = make_sale(opens_at=now + timedelta(hours=1), closes_at=now + timedelta(hours=3))
    mei = User.objects.create_user("mei@example.com", is_staff=True)
    operating.pause(sale=item.sale, by=mei)
    page = merchandiser.get(at(item, verb))
    seen = str(page.context["form"]["seen"].value())
    operating.resume(sale=Sale.objects.get(), by=mei)
    fields = {name: value.replace("TITLE", item.sale.title) for name, value in fields.items()}
    before = Sale.objects.values().get(), units(item)
    text = do(
        merchandiser, item, verb, seen=seen, **({"item": str(item.pk)} if verb == "add" else {}), **fields
    )
    assert "Nothing was done. mei@example.com did this" in text
    assert "Resumed." in text
    assert (Sale.objects.values().get(), units(item)) == before


def test_what_does_not_fit_is_said_at_its_field(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale()
    assert "Nobody holds a unit of this sale under this name." in do(
        merchandiser, item, "release", rid="nobody@example.com", reason="asked"
    )
    assert "Say the reason in words." in do(merchandiser, item, "release", rid="x", reason="other")
    assert "Add at least one unit." in do(merchandiser, item, "add", item=str(item.pk), units="0")
    assert "Write a date and a time." in do(merchandiser, item, "end", closes_at_0="soon", closes_at_1="")
    assert "This time has passed." in do(
        merchandiser, item, "end", closes_at_0="2020-01-01", closes_at_1="10:00"
    )
    assert audit.latest(item.sale) == 0


def test_who_may_only_look_gets_no_buttons_and_cannot_act(make_sale: Make) -> None:
    item, client = make_sale(), staff("support")
    assert "Add units…" not in live(client, item)
    for verb in ("open", "end", "add", "pause", "close"):
        assert client.post(at(item, verb)).status_code == 403
    assert Client().get(at(item, "live")).status_code == 302


def test_a_draft_has_no_live_page(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(scheduled=False)
    assert merchandiser.get(at(item, "live")).status_code == 404
    assert Reservation.objects.count() == 0


def test_the_frame_costs_a_bounded_number_of_queries(
    merchandiser: Client,
    make_sale: Make,
    shoppers: Crowd,
    django_assert_max_num_queries: Callable[..., object],
) -> None:
    item = make_sale(quantity=3)
    for user in shoppers(3):
        win(item, user)
        sampling.take()
    cache.clear()
    with django_assert_max_num_queries(40):  # type: ignore[attr-defined]
        assert merchandiser.get(at(item, "live/frame")).status_code == 200
    with django_assert_max_num_queries(12):  # type: ignore[attr-defined]
        assert merchandiser.get(at(item, "live/frame")).status_code == 200
