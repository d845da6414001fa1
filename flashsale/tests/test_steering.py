"""What an operator does to a running sale, by the services that buttons call: both stores follow."""

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone
from redis.exceptions import ConnectionError as StoreAway

from accounts.models import User
from flashsale import audit, draining, operating, sampling, scheduling, stock
from flashsale.errors import SaleError, Silent, Stale
from flashsale.models import Reservation, Sale, SaleItem, Sample, StandbyEntry
from flashsale.tests.conftest import attempt, is_clean, units, win
from flashsale.tests.gates import a_pass, attempt_at, bearer, running_gate

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
Crowd = Callable[[int], list[User]]


def test_opening_now_opens_in_both_stores(make_sale: Make, shoppers: Crowd, mei: User) -> None:
    item = make_sale(
        opens_at=timezone.now() + timedelta(hours=1), closes_at=timezone.now() + timedelta(days=1)
    )
    (ann,) = shoppers(1)
    assert attempt(item, ann)[0].outcome == "not_open"
    assert "is open since" in operating.open_now(sale=item.sale, by=mei)
    assert attempt(item, ann)[0].outcome == "reserved"
    with pytest.raises(SaleError, match="is not waiting to open"):
        operating.open_now(sale=Sale.objects.get(), by=mei)


def test_a_line_is_served_from_the_new_opening(make_sale: Make, shoppers: Crowd, mei: User) -> None:
    now = timezone.now()
    item = make_sale(opens_at=now + timedelta(hours=1), closes_at=now + timedelta(days=1), rate=1, quantity=9)
    operating.open_now(sale=item.sale, by=mei)
    answers = attempt(item, *shoppers(9))
    assert (answers[0].outcome, answers[-1].outcome) == ("reserved", "queued")
    assert answers[-1].at < int(now.timestamp() * 1000) + 60_000


def test_the_end_is_moved_in_both_stores_but_never_into_the_past(make_sale: Make, mei: User) -> None:
    item = make_sale()
    later = timezone.now().replace(microsecond=0) + timedelta(hours=5)
    operating.move_end(sale=item.sale, closes_at=later, by=mei)
    status = stock.run(stock.status(item.sale_id, []))
    assert status is not None
    assert status.closes_at == int(later.timestamp() * 1000)
    with pytest.raises(SaleError, match="This time has passed"):
        operating.move_end(sale=Sale.objects.get(), closes_at=timezone.now() - timedelta(1), by=mei)


def test_added_units_leave_stock_and_go_to_standby_first(make_sale: Make, shoppers: Crowd, mei: User) -> None:
    item, crowd = make_sale(quantity=1, standby_size=5), shoppers(4)
    win(item, crowd[0])
    assert [answer.outcome for answer in attempt(item, *crowd[1:3])] == ["standby", "standby"]
    operating.add_units(item=item, units=3, by=mei)
    draining.drain_once(sale_id=item.sale_id)
    item.refresh_from_db()
    item.variant.refresh_from_db()
    assert (item.quantity, item.held, item.variant.stock) == (4, 3, 7)
    assert units(item) == (1, 3, 0, 0)
    assert StandbyEntry.objects.filter(status=StandbyEntry.Status.PROMOTED).count() == 2
    assert is_clean(item)
    entry = audit.log(item.sale)[0]
    assert (entry.change.before, entry.change.after, entry.user) == ("1", "4", mei)


def test_units_added_while_the_store_was_away_are_brought_by_the_beat(
    make_sale: Make, mei: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale(quantity=1)
    with monkeypatch.context() as patch:

        def away(_call: object) -> None:
            raise StoreAway

        patch.setattr(stock, "run", away)
        with pytest.raises(Silent, match="its memory follows"):
            operating.add_units(item=item, units=2, by=mei)
    assert units(item) == (1, 0, 0, 0)
    scheduling.warm(sale_id=item.sale_id)
    assert units(item) == (3, 0, 0, 0)


def test_more_units_than_there_are_in_stock_are_not_added(make_sale: Make, mei: User) -> None:
    item = make_sale(quantity=1)
    with pytest.raises(SaleError, match="Only 10 of"):
        operating.add_units(item=item, units=11, by=mei)
    assert audit.latest(item.sale) == 0
    assert units(item) == (1, 0, 0, 0)


def test_a_unit_is_released_for_a_reason_that_is_kept(make_sale: Make, shoppers: Crowd, mei: User) -> None:
    item, crowd = make_sale(quantity=1, standby_size=5), shoppers(2)
    (rid,) = win(item, crowd[0])
    attempt(item, crowd[1])
    row = Reservation.objects.get(rid=rid)
    with pytest.raises(SaleError, match="Give a reason"):
        operating.release(row=row, reason="  ", by=mei)
    operating.release(row=row, reason="Bought by mistake.", by=mei)
    draining.drain_once(sale_id=item.sale_id)
    row.refresh_from_db()
    assert row.status == Reservation.Status.CANCELLED
    assert Reservation.objects.get(status="held").user == crowd[1]
    assert audit.log(item.sale)[0].change.reason == "Bought by mistake."
    with pytest.raises(SaleError, match="not held any more"):
        operating.release(row=row, reason="Again.", by=mei)


@pytest.mark.parametrize("verb", ["open_now", "move_end", "add_units"])
def test_a_page_that_has_grown_old_does_nothing(make_sale: Make, mei: User, verb: str) -> None:
    now = timezone.now()
    item = make_sale(opens_at=now + timedelta(hours=1), closes_at=now + timedelta(days=1))
    operating.move_end(sale=item.sale, closes_at=now + timedelta(days=2), by=mei)
    before = Sale.objects.values().get(), units(item)
    acts: dict[str, Callable[[], str]] = {
        "open_now": partial(operating.open_now, sale=item.sale, by=mei, seen=-1),
        "move_end": partial(
            operating.move_end, sale=item.sale, closes_at=now + timedelta(days=3), by=mei, seen=-1
        ),
        "add_units": partial(operating.add_units, item=item, units=1, by=mei, seen=-1),
    }
    with pytest.raises(Stale, match=r"mei@example\.com did this"):
        acts[verb]()
    assert (Sale.objects.values().get(), units(item)) == before


def test_the_gate_tells_the_store_what_it_answered(make_sale: Make, shoppers: Crowd) -> None:
    item, crowd = make_sale(quantity=2), shoppers(3)
    with running_gate() as gate:
        for user in (*crowd, crowd[0]):
            attempt_at(gate, item, bearer(a_pass(item, user)))
        deadline = time.monotonic() + 10
        while (flow := stock.run(stock.flow(item.sale_id)))[0] == {} and time.monotonic() < deadline:
            time.sleep(0.1)
        time.sleep(1.2)
        flow = stock.run(stock.flow(item.sale_id))
    assert flow[:2] == ({"reserved": 3, "sold_out": 1}, 3)


def test_a_look_is_kept_only_where_something_is_new(make_sale: Make, shoppers: Crowd) -> None:
    item = make_sale(quantity=2, rate=100)
    assert [sampling.take() for _ in range(4)] == [1, 1, 0, 0]
    attempt(item, *shoppers(1))
    stock.run(stock.count(item.sale_id, {"reserved": 1}, [1]))
    assert sampling.take() == 1
    last = Sample.objects.last()
    assert last is not None
    assert (last.free, last.held, last.issued, last.outcomes, last.unrecorded) == (
        1,
        1,
        1,
        {"reserved": 1},
        1,
    )


def test_the_store_forgets_a_sale_whole(make_sale: Make, shoppers: Crowd) -> None:
    item = make_sale(standby_size=2, quantity=1)
    attempt(item, *shoppers(2))
    stock.run(stock.count(item.sale_id, {"reserved": 1}, [1]))
    assert stock.run(stock.forget(item.sale_id, [item.pk])) >= 6
    assert stock.run(stock.status(item.sale_id, [item.pk])) is None
