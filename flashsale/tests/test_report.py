"""The report of a sale: its funnel adds up, its figures are those of the rows, its files can be kept."""

import csv
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from flashsale import draining, entry, reservations, sampling, stock
from flashsale.models import Entrance, SaleItem
from flashsale.report import gathering, telling
from flashsale.tests.conftest import attempt, let_the_deadline_pass, pay, win
from flashsale.tests.pages import words
from flashsale.tests.test_admin_verbs import at, staff

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


@pytest.fixture
def over(make_sale: Make, shoppers: Crowd) -> SaleItem:
    """A sale of 3 units: 6 came; one paid, one paid from standby, one expired, one holds, one stands by."""
    item, crowd = make_sale(quantity=3, standby_size=2), shoppers(6)
    for place, user in enumerate(crowd):
        entry.remember(user=user, sale=item.sale, address=f"192.0.2.{place}" if place < 4 else "2001:db8::1")
    rids = win(item, *crowd[:3])
    attempt(item, *crowd[3:])
    stock.run(stock.count(item.sale_id, {"reserved": 3, "standby": 2, "sold_out": 7}, [u.pk for u in crowd]))
    pay(rids[0])
    let_the_deadline_pass(rids[1])
    reservations.expire_due()
    draining.drain_once(sale_id=item.sale_id)
    promoted = item.reservations.get(promoted=True)
    pay(promoted.rid)
    sampling.take()
    return item


def test_the_funnel_adds_up(over: SaleItem) -> None:
    report = gathering.gather(over.sale)
    people = [one.people for one in report.funnel]
    assert people[0] == 6 == sum(people[1:4])
    assert people[1] == 4 == sum(people[4:])
    assert people == [6, 4, 1, 1, 2, 1, 1, 0, 0, 0]


def test_the_figures_are_those_of_the_rows(over: SaleItem) -> None:
    report = gathering.gather(over.sale)
    assert report.units == {"quantity": 3, "held": 1, "paid": 2, "returned": 0, "free": 0}
    assert report.unpaid == (1, 3)
    assert report.standby == {"promoted": 1, "waiting": 1}
    assert report.outcomes == {"reserved": 3, "standby": 2, "sold_out": 7}
    assert report.attempts_each == 2.0
    assert report.last_hold is not None
    assert report.last_payment is not None
    assert 59 < report.last_hold < report.last_payment < 200


def test_the_page_tells_it_and_gives_the_figures(over: SaleItem) -> None:
    client = staff("merchandiser")
    text = words(client.get(at(over, "report")))
    assert "quantity 3 = free 0 + held 1 + paid 2 + returned 0" in text
    assert "came in 6 6 of 6 6 of 6" in text
    assert "By level: too few to judge." in text
    rows = list(csv.reader(StringIO(client.get(at(over, "report.csv")[:-1]).content.decode())))
    assert ["funnel", "got a unit", "4", "6"] in rows
    assert ["network", "192.0.2.0/24", "4", "4", ""] in rows


def test_the_command_writes_figures_and_pictures(over: SaleItem, tmp_path: Path) -> None:
    out = StringIO()
    call_command("sale_report", over.sale_id, "--out", tmp_path / "report", stdout=out)
    assert "Not paid: 1 of 3" in out.getvalue()
    files = {one.name for one in (tmp_path / "report").iterdir()}
    assert {"figures.csv", "units.svg", "attempts.svg", "age.svg", "arrival.svg", "network.svg"} <= files
    for svg in (tmp_path / "report").glob("*.svg"):
        assert svg.read_text().startswith('<svg xmlns="http://www.w3.org/2000/svg"')
        assert "<script" not in svg.read_text()
    with pytest.raises(CommandError, match="No sale with the number 0"):
        call_command("sale_report", 0)
    (tmp_path / "file").write_text("")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("sale_report", over.sale_id, "--out", tmp_path / "file", stdout=out)


def test_a_sale_that_nobody_came_to_has_a_report_too(make_sale: Make) -> None:
    report = gathering.gather(make_sale().sale)
    assert [one.people for one in report.funnel] == [0] * 10
    assert all(is_fine for is_fine, _sentence in telling.judgements(report))
    assert dict(telling.facts(report))["Last payment"] == "never"
    assert len(telling.drawn(report)) == 8, "without a line there is no picture of one"


def test_speed_and_age_that_decided_are_said(make_sale: Make, shoppers: Crowd) -> None:
    now = timezone.now()
    item, crowd = make_sale(quantity=60), shoppers(200)
    User.objects.filter(pk__in=[user.pk for user in crowd[:60]]).update(date_joined=now - timedelta(days=400))
    Entrance.objects.bulk_create(
        Entrance(
            sale=item.sale, user=user, network=f"10.0.{place % 25}.0/24", at=now + timedelta(seconds=place)
        )
        for place, user in enumerate(crowd)
    )
    win(item, *crowd[:60])
    found = telling.judgements(gathering.gather(item.sale))
    assert "By account age: units are not shared as chance would share them (p < 0.001)." in found[0][1]
    assert found[1][0]
    assert "Speed decided, as it was set: who has a unit entered first in 100 of 100 pairs" in found[3][1]


def test_a_network_is_kept_and_never_an_address(make_sale: Make, shoppers: Crowd) -> None:
    item, (user,) = make_sale(), shoppers(1)
    entry.remember(user=user, sale=item.sale, address="198.51.100.77")
    entry.remember(user=user, sale=item.sale, address="203.0.113.9")
    assert [one.network for one in Entrance.objects.all()] == ["198.51.100.0/24"]
    assert entry.network_of("2001:db8:1:2::3") == "2001:db8:1::/48"
    assert entry.network_of("somewhere") == ""
