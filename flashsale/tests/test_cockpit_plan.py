"""Planning in the admin: sentences beside the form, a calendar, copies, and previews that touch nothing."""

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django import Settings

from accounts.models import User
from flashsale.cockpit import calendars, previews
from flashsale.cockpit.figures import both_zones
from flashsale.models import Rehearsal, Sale, SaleItem, WhitelistEntry
from flashsale.rehearsal import kept
from flashsale.tests.pages import words
from flashsale.tests.test_admin_verbs import at, do, staff

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
SALES = "/admin/flashsale/sale/"


@pytest.fixture
def merchandiser(db: None) -> Client:
    return staff("merchandiser")


def planned(item: SaleItem, **fields: str) -> dict[str, str]:
    typed = {
        "sale": str(item.sale_id),
        "title": "Lamps",
        "slug": "lamps",
        "opens_at_0": "2099-06-12",
        "opens_at_1": "10:00:00",
        "closes_at_0": "2099-06-12",
        "closes_at_1": "12:00:00",
        "pay_within": "600",
        "standby_size": "50",
        "items-0-variant": str(item.variant_id),
        "items-0-quantity": "10",
    }
    return typed | fields


def sentences_of(response: Any) -> str:
    """Return what a fragment says."""
    return html.unescape(re.sub(r"<[^>]+>", "", response.content.decode()))


@pytest.mark.parametrize(
    ("fields", "start"),
    [
        ({}, "In a crowd the edge sends on by lot"),
        ({"rate": "200"}, "The edge sends everybody on, however many come: the line has an order"),
        (
            {"items-1-variant": "OTHER", "items-1-quantity": "5"},
            "The edge sends everybody on, however many come: nobody knows who wants which of several items",
        ),
    ],
)
def test_the_plan_says_whether_the_edge_draws_lots_and_why_not(
    merchandiser: Client, make_sale: Make, settings: Settings, fields: dict[str, str], start: str
) -> None:
    item, other = make_sale(scheduled=False), make_sale(scheduled=False)
    typed = {name: value.replace("OTHER", str(other.variant_id)) for name, value in fields.items()}
    asked = planned(item, **typed)
    assert start not in sentences_of(merchandiser.post(f"{SALES}said/", asked))  # no lots are drawn here
    settings.EDGE_SHEDDING = True
    assert start in sentences_of(merchandiser.post(f"{SALES}said/", asked))


def test_the_plan_is_said_in_sentences_while_it_is_typed(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(quantity=10, scheduled=False)
    text = sentences_of(merchandiser.post(f"{SALES}said/", planned(item, rate="200")))
    for sentence in (
        f"10 of 20 units of {item.variant} leave ordinary stock when it is scheduled.",
        "It opens 12.06.2099 10:00:00 UTC and ends 12.06.2099 12:00:00 UTC, after 2 hours.",
        "Whoever gets a unit has 10 minutes to pay; then it goes to the next.",
        "50 people stand by for each item.",
        "At 200 a second the last of 5,000 waiting is served after 25 seconds.",
        "This lets in 1 shopper of 1.",
    ):
        assert sentence in text
    item.sale.refresh_from_db()
    assert item.sale.title != "Lamps"


def test_the_rules_are_said_and_counted_even_before_the_sale_is_saved(
    merchandiser: Client, make_sale: Make
) -> None:
    item = make_sale(scheduled=False)
    WhitelistEntry.objects.bulk_create(
        WhitelistEntry(sale=item.sale, email=f"friend-{n}@example.com") for n in range(1_250)
    )
    for email, days, level in (
        ("friend-1", 400, 2),
        ("friend-2", 1, 2),
        ("friend-3", 400, 0),
        ("eve", 400, 2),
    ):
        user = User.objects.create_user(f"{email}@example.com", level=level)
        User.objects.filter(pk=user.pk).update(
            date_joined=datetime(2099, 6, 12, tzinfo=UTC) - timedelta(days)
        )
    rules = {"min_account_days": "30", "min_level": "2"}
    text = sentences_of(merchandiser.post(f"{SALES}said/", planned(item, whitelist_only="on", **rules)))
    assert (
        "Only accounts older than 30 days may enter. Only shoppers of level 2 or higher may enter."
        " Only the 1,250 addresses on its list may enter. This lets in 1 shopper of 5."
    ) in text
    text = sentences_of(merchandiser.post(f"{SALES}said/", planned(item, list_excuses="on", **rules)))
    assert (
        "level 2 or higher may enter. The 1,250 addresses on its list may enter all the same."
        " This lets in 4 shoppers of 5."
    ) in text
    text = sentences_of(merchandiser.post(f"{SALES}said/", planned(item, sale="", **rules)))
    assert "or higher may enter. This lets in 2 shoppers of 5." in text
    assert "Everybody with an account may enter. This lets in 5 shoppers of 5." in sentences_of(
        merchandiser.post(f"{SALES}said/", planned(item, sale=""))
    )


def test_a_conflict_is_named_with_a_link(merchandiser: Client, make_sale: Make) -> None:
    other = make_sale()
    mine = make_sale(scheduled=False)
    opens, closes = other.sale.opens_at, other.sale.closes_at
    typed = planned(
        mine,
        opens_at_0=f"{opens:%Y-%m-%d}",
        opens_at_1=f"{opens:%H:%M:%S}",
        closes_at_0=f"{closes:%Y-%m-%d}",
        closes_at_1=f"{closes:%H:%M:%S}",
        **{"items-0-variant": str(other.variant_id), "items-0-quantity": "99"},
    )
    response = merchandiser.post(f"{SALES}said/", typed)
    assert f"There are only 10 units of {other.variant}: 99 cannot leave ordinary stock." in sentences_of(
        response
    )
    assert f"<a href='{SALES}{other.sale_id}/change/'>" in response.content.decode()


@pytest.mark.parametrize(
    "typed", [{}, {"sale": "x", "opens_at_0": "soon", "items-0-variant": "-1"}, {"pay_within": "no"}]
)
def test_half_a_plan_is_no_error(merchandiser: Client, typed: dict[str, str]) -> None:
    assert merchandiser.post(f"{SALES}said/", typed).status_code == 200


def test_times_are_said_in_both_zones() -> None:
    at_noon = datetime(2099, 6, 12, 10, 0, 5, tzinfo=UTC)
    with timezone.override("Europe/Zurich"):
        assert both_zones(at_noon) == "12.06.2099 12:00:05 CEST (12.06. 10:00:05 UTC)"
    assert both_zones(at_noon) == "12.06.2099 10:00:05 UTC"


def test_a_copy_is_a_draft_a_week_later_with_items_and_list(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(rate=7, standby_size=3)
    WhitelistEntry.objects.create(sale=item.sale, email="ann@example.com")
    do(merchandiser, item, "duplicate")
    copy = Sale.objects.exclude(pk=item.sale_id).get()
    assert (copy.state, copy.rate, copy.standby_size) == ("draft", 7, 3)
    assert copy.opens_at - item.sale.opens_at == timedelta(days=7)
    assert [(one.variant, one.quantity, one.price) for one in copy.items.all()] == [
        (item.variant, item.quantity, item.price)
    ]
    assert copy.whitelist.count() == 1
    assert copy.line_key != item.sale.line_key
    do(merchandiser, item, "duplicate")
    assert Sale.objects.count() == 3


def test_the_calendar_shows_each_sale_on_its_days(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(
        opens_at=datetime(2099, 6, 30, 22, 0, tzinfo=UTC), closes_at=datetime(2099, 7, 2, 9, 0, tzinfo=UTC)
    )
    text = words(merchandiser.get(f"{SALES}calendar/", {"month": "2099-06"}))
    assert text.count(item.sale.title) == 3
    assert "opens 22:00 UTC" in text
    assert "open all day" in text
    assert "ends 09:00 UTC" in text
    assert words(merchandiser.get(f"{SALES}calendar/", {"month": "nonsense"}))
    assert calendars.month_of("2099-13", date(2026, 6, 12)) == date(2026, 6, 1)


@pytest.mark.parametrize("state", previews.STATES)
def test_a_preview_shows_a_state_and_touches_nothing(
    merchandiser: Client, make_sale: Make, state: str
) -> None:
    item = make_sale(quantity=5, standby_size=2, rate=10, scheduled=False)
    rows, keys = Sale.objects.values().get(), get_redis_connection("sale").keys("*")
    response = merchandiser.get(at(item, f"preview/{state}"))
    assert response.status_code == 200
    assert "Preview, nothing is stored." in words(response)
    assert item.sale.title in words(response)
    assert (Sale.objects.values().get(), get_redis_connection("sale").keys("*")) == (rows, keys)
    assert previews.shown(item.sale, state).phase == previews.STATES[state][0]
    assert merchandiser.get(at(item, "preview/other")).status_code == 404


def test_a_preview_shows_the_planned_times_and_a_place_in_line(merchandiser: Client, make_sale: Make) -> None:
    opens_at = datetime(2099, 6, 12, 10, 0, tzinfo=UTC)
    times = {"opens_at": opens_at, "closes_at": opens_at + timedelta(hours=2)}
    item = make_sale(quantity=5, rate=200, scheduled=False, **times)
    for state in ("before", "open", "sold-out", "paused", "ended"):
        assert "Friday 12 June 2099, 12:00 UTC" in words(merchandiser.get(at(item, f"preview/{state}"))), (
            state
        )
    text = words(merchandiser.get(at(item, "preview/line")))
    assert "You are in line" in text
    assert "5,000 people are ahead." in text
    assert "in 25 seconds." in text


def test_states_that_a_sale_never_comes_into_have_no_preview(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(scheduled=False)
    text = words(merchandiser.get(at(item, "preview/open")))
    assert "Sold out" in text
    assert "In line" not in text
    for state in ("line", "standby"):
        assert merchandiser.get(at(item, f"preview/{state}")).status_code == 404


def test_the_list_names_both_zones_and_what_to_do_next(merchandiser: Client, make_sale: Make) -> None:
    now = timezone.now()
    plan, runs = make_sale(scheduled=False), make_sale(quantity=12_000)
    over = make_sale(opens_at=now - timedelta(days=2), closes_at=now - timedelta(days=1))
    response = merchandiser.get(SALES)
    page = response.content.decode()
    for item, name in ((plan, "rehearse"), (runs, "live"), (over, "report")):
        assert f'href="{at(item, name)}"' in page
    assert "12,000" in words(response)
    assert both_zones(runs.sale.opens_at) in words(response)


def test_the_form_names_the_zone_of_its_times(merchandiser: Client, make_sale: Make) -> None:
    response = merchandiser.get(f"{SALES}{make_sale(scheduled=False).sale_id}/change/")
    assert words(response).count("In UTC, the zone of the shop.") == 2


def test_a_rehearsal_can_be_asked_for_and_what_went_wrong_is_said(
    merchandiser: Client, make_sale: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale()
    cache.clear()
    asked: list[int] = []
    monkeypatch.setattr("flashsale.cockpit.rehearsals.play_rehearsal.delay", asked.append)
    fields = {"shoppers": "3", "bots": "0", "pay": "100", "seconds": "5"}
    assert "0 of 3 shoppers are done." in do(merchandiser, item, "rehearse", **fields)
    assert "A rehearsal of this sale is running." in do(merchandiser, item, "rehearse", **fields)
    row = Rehearsal.objects.get()
    assert asked == [row.pk]
    monkeypatch.setattr("flashsale.rehearsal.playing.own_gate", lambda: "http://127.0.0.1:9")
    monkeypatch.setattr("flashsale.rehearsal.playing.LEAD", 0.0)
    kept.play(row.pk)
    kept.play(row.pk)
    row.refresh_from_db()
    assert "does not answer" in row.error
    assert "does not answer" in words(merchandiser.get(at(item, "rehearse")))
    assert User.objects.filter(email__endswith=".invalid").count() == 0
