"""A rehearsal plays a crowd over HTTP against a shadow of a sale, judges its settings, leaves nothing."""

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_redis import get_redis_connection

from accounts.models import User
from flashsale import crowd, recording, scheduling, showing, stream
from flashsale.errors import SaleError
from flashsale.models import Reservation, Sale, SaleItem
from flashsale.rehearsal import playing, shadow, verdict
from flashsale.rehearsal.playing import Cast
from flashsale.rehearsal.verdict import Finding, Outcome
from flashsale.tests.browsing import running_site
from flashsale.tests.conftest import attempt, units
from flashsale.tests.gates import attempt_at, bearer, running_gate
from shop.orders import outbox
from shop.orders.models import Order, OutboxMail

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
GOOD = Outcome(
    people=1900,
    bots=100,
    seconds=20,
    answers=9000,
    peak_answers=2000,
    pages=400,
    page_p95_ms=30,
    p50_ms=4,
    p99_ms=80,
    lost=0,
    human_units=99,
    bot_units=1,
    quantity=100,
    sold_out_after=3,
    refusals={},
    tried_too_often=0,
    bot_tries_refused=5000,
    found_full=0,
    still_waiting=0,
    queue_peak=0,
    store_calls=500,
    orders=110,
    peak_orders=60,
    lag=0.8,
    paid=95,
    expired=10,
    promoted=10,
    turned_away=1500,
    standby_peak=50,
    stores_agree=True,
    paid_within=600,
)


def judged(sale: Sale, seen: Outcome) -> dict[str, Finding]:
    return {one.name: one for one in verdict.findings(sale, seen)}


def play(item: SaleItem, gate: str, **cast: Any) -> Outcome:
    options: dict[str, Any] = {"bots": 0.05, "pay": 0.8, "seconds": 8.0} | cast
    shoppers = int(options.pop("shoppers"))
    told: list[int] = []
    seen = playing.rehearse(
        sale=item.sale, cast=Cast(shoppers, **options), gate=gate, tell=lambda done, _all: told.append(done)
    )
    assert told[-1] == shoppers + int(cast.get("farm", 0))
    return seen


def leaves_nothing(item: SaleItem) -> bool:
    rows = (
        Sale.objects.count(),
        Reservation.objects.count(),
        Order.objects.count(),
        OutboxMail.objects.count(),
    )
    left = [
        key for key in get_redis_connection("sale").keys("fs:{*") if f"{{{item.sale_id}}}".encode() not in key
    ]
    return rows == (1, 0, 0, 0) and not User.objects.exists() and all(b":tries:" in key for key in left)


def test_good_settings_pass_and_nothing_is_left(make_sale: Make) -> None:
    item = make_sale(quantity=60, standby_size=30, pay_within=600, rate=20, shuffle_at_open=True)
    stock_before = item.variant.stock
    with running_site() as site:
        seen = play(item, site, shoppers=400)
    found = judged(item.sale, seen)
    of_this_machine = ("lag", "speed", "crowd")
    assert [
        one.sentence for one in found.values() if not one.is_good and one.name not in of_this_machine
    ] == []
    assert (seen.people + seen.bots, seen.human_units + seen.bot_units, seen.quantity) == (400, 60, 60)
    assert seen.paid + seen.expired + seen.promoted >= 60
    assert leaves_nothing(item)
    item.variant.refresh_from_db()
    assert (item.variant.stock, units(item)) == (stock_before, (60, 0, 0, 0))


def test_bad_settings_are_flagged(make_sale: Make) -> None:
    item = make_sale(quantity=50, standby_size=0, pay_within=60, rate=3, queue_limit=40)
    with running_gate(ATTEMPTS_PER_MINUTE="2") as gate:
        seen = play(item, gate, shoppers=200, pay=0.0, bots=0.0)
    bad = {name for name, one in judged(item.sale, seen).items() if not one.is_good}
    assert {"tries", "full", "time to pay"} <= bad
    assert leaves_nothing(item)


def test_a_line_too_slow_and_bots_without_a_limit_are_flagged(make_sale: Make) -> None:
    item = make_sale(quantity=60, standby_size=0, rate=4)
    with running_gate(ATTEMPTS_PER_MINUTE="100000") as gate:
        seen = play(item, gate, shoppers=200, pay=0.0, bots=0.1)
    found = judged(item.sale, seen)
    assert not found["line"].is_good, seen
    assert not found["bots"].is_good, seen


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("units", {"stores_agree": False}),
        ("bots", {"bot_units": 40, "human_units": 60}),
        ("tries", {"tried_too_often": 50}),
        ("full", {"found_full": 300}),
        ("line", {"still_waiting": 1, "sold_out_after": -1.0}),
        ("lag", {"lag": 12.0}),
        ("standby", {"expired": 20}),
        ("speed", {"p99_ms": 1500}),
        ("speed", {"lost": 100}),
    ],
)
def test_each_fault_is_found_and_only_that(name: str, changed: dict[str, Any], make_sale: Make) -> None:
    sale = make_sale(standby_size=0, rate=100, queue_limit=500, pay_within=600).sale
    good = replace(GOOD, expired=0)
    assert all(one.is_good for one in verdict.findings(sale, good))
    bad = [one.name for one in verdict.findings(sale, replace(good, **changed)) if not one.is_good]
    assert bad == [name]


def test_where_no_worker_runs_no_setting_is_blamed_for_late_orders(make_sale: Make) -> None:
    sale = make_sale().sale
    late = replace(GOOD, lag=12.0)
    assert "ORDER_BATCH_SIZE" in judged(sale, late)["lag"].sentence
    away = judged(sale, replace(late, worker_was_away=True))["lag"]
    assert not away.is_good
    assert "start a worker and rehearse again" in away.sentence


def test_a_pass_of_a_rehearsal_does_not_work_in_the_real_sale(make_sale: Make) -> None:
    item = make_sale()
    copy = shadow.make(sale=item.sale, opens_in=0, open_for=60)
    users = shadow.make_shoppers(copy, 1)
    (token,) = crowd.issue_passes(copy, users)
    with running_gate() as gate:
        assert attempt_at(gate, item, bearer(token))[1]["outcome"] == "refused"
        assert attempt_at(gate, copy.items.get(), bearer(token))[1]["outcome"] == "reserved"
    assert units(item) == (3, 0, 0, 0)


def test_shoppers_never_see_a_shadow_and_nobody_is_mailed(make_sale: Make) -> None:
    item = make_sale(standby_size=2, quantity=1)
    copy = shadow.make(sale=item.sale, opens_in=0, open_for=60)
    assert list(showing.public()) == [item.sale]
    users = User.objects.filter(pk__in=shadow.make_shoppers(copy, 2))
    attempt(copy.items.get(), *users)
    recording.record(sale_id=copy.pk, entries=stream.read([copy.pk], consumer="a", count=9)[copy.pk])
    assert Reservation.objects.count() == 1
    assert OutboxMail.objects.count() == 0
    outbox.put("1", OutboxMail.Kind.PAID, "ann@example.com", "en", {})
    assert OutboxMail.objects.count() == 1


def test_a_shadow_that_ends_returns_nothing_to_ordinary_stock(make_sale: Make) -> None:
    item = make_sale()
    item.variant.refresh_from_db()
    before = item.variant.stock
    copy = shadow.make(sale=item.sale, opens_in=0, open_for=60)
    scheduling.close_now(sale_id=copy.pk)
    item.variant.refresh_from_db()
    assert item.variant.stock == before
    Sale.objects.filter(pk=copy.pk).update(
        opens_at=timezone.now() - timedelta(hours=3), closes_at=timezone.now() - timedelta(hours=2)
    )
    assert shadow.remove_forgotten() == 1
    with pytest.raises(SaleError, match="is no rehearsal"):
        shadow.remove(item.sale)


def test_the_command_says_what_is_wrong_with_its_words(make_sale: Make) -> None:
    item = make_sale()
    for args, sentence in (
        ((item.sale_id, "--shoppers", "0"), "Between 1 and 1000000 shoppers can come."),
        ((item.sale_id, "--bots", "many"), "is not a share such as 5%."),
        ((item.sale_id, "--minutes", "0"), "takes between 5 seconds and an hour."),
        ((item.sale_id, "--gate", "elsewhere"), "--gate is an address"),
        ((0,), "There is no sale with the number 0."),
    ):
        with pytest.raises(CommandError, match=sentence):
            call_command("rehearse", *args)
    assert Sale.objects.count() == 1


def test_the_command_prints_a_verdict_and_keeps_the_figures(make_sale: Make, tmp_path: Path) -> None:
    item, out = make_sale(quantity=20, standby_size=20, pay_within=600), StringIO()
    file = tmp_path / "report" / "rehearsal.json"
    with running_gate() as gate:
        call = (
            "rehearse",
            item.sale_id,
            "--shoppers",
            "100",
            "--minutes",
            "0.1",
            "--gate",
            gate,
            "--out",
            file,
        )
        with suppress(SystemExit):  # a slow machine may be judged too slow
            call_command(*call, stdout=out)
    assert "reservations of 20 units; both stores agree" in out.getvalue()
    kept = json.loads(file.read_text())
    assert kept["quantity"] == 20
    assert set(kept["findings"]) >= {"units", "tries", "speed"}


def test_a_crowd_of_thousands_with_bots_is_rehearsed_and_its_report_kept(make_sale: Make) -> None:
    """2,000 shoppers, 5 % bots; REHEARSE=20000 brings more. The report stays in .data/ to be read."""
    shoppers, out = int(os.environ.get("REHEARSE", "2000")), StringIO()
    item = make_sale(
        quantity=shoppers // 20, standby_size=100, pay_within=600, rate=shoppers // 200, shuffle_at_open=True
    )
    file = settings.BASE_DIR / ".data" / f"rehearsal-{shoppers}.json"
    file.unlink(missing_ok=True)
    with running_gate() as gate:
        call = ["rehearse", str(item.sale_id), "--shoppers", str(shoppers), "--bots", "5%", "--pay", "80%"]
        with suppress(SystemExit):  # a slow machine may be judged too slow
            call_command(*call, "--minutes", "0.7", "--gate", gate, "--out", str(file), stdout=out)
    file.with_suffix(".txt").write_text(out.getvalue())
    kept = json.loads(file.read_text())
    assert kept["people"] + kept["bots"] == shoppers
    assert 0.03 < kept["bots"] / shoppers < 0.08
    assert kept["paid"] <= kept["quantity"] <= kept["human_units"] + kept["bot_units"]
    assert kept["findings"]["units"][0], kept["findings"]
    of_bots = "crowd" if kept["late"] > verdict.LATE_SECONDS else "bots"
    assert {of_bots, "tries", "line", "lag", "standby", "speed"} <= set(kept["findings"])
    assert leaves_nothing(item)


def test_a_gate_that_is_not_there_is_said_and_the_shadow_removed(make_sale: Make) -> None:
    item = make_sale()
    with pytest.raises(SaleError, match="does not answer"):
        play(item, "http://127.0.0.1:9", shoppers=3)
    assert leaves_nothing(item)
