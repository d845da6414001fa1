"""Tickets as the store gives and serves them (the contract is docs/queue.md)."""

import hashlib
import time
from datetime import timedelta

import pytest
from django.utils import timezone
from django_redis import get_redis_connection

from flashsale import scheduling, stock
from flashsale.errors import SchedulingError
from flashsale.models import SaleItem
from flashsale.queue import Queue
from flashsale.replies import Answer
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, units

pytestmark = pytest.mark.django_db(transaction=True)


def outcomes(answers: list[Answer]) -> list[str]:
    return [answer.outcome for answer in answers]


def numbers(answers: list[Answer]) -> list[int]:
    return [answer.number for answer in answers]


def queue_of(item: SaleItem) -> Queue:
    status = stock.run(stock.status(item.sale_id, [item.pk]))
    assert status is not None
    assert status.queue is not None
    return status.queue


def line_of(item: SaleItem) -> list[tuple[int, int]]:
    return stock.run(stock.line(item.sale_id, 0, 1000))


def wait_until(at_ms: int) -> None:
    time.sleep(max(0, at_ms / 1000 - time.time()) + 0.005)


def test_without_a_rate_nobody_gets_a_ticket(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale(quantity=1)
    attempt(item, *shoppers(3))
    assert line_of(item) == []
    assert stock.run(stock.status(item.sale_id, [item.pk])).queue is None  # type: ignore[union-attr]


def test_below_the_rate_the_unit_comes_with_the_ticket(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=3, rate=3), shoppers(3)
    assert outcomes(attempt(item, *crowd)) == ["reserved"] * 3
    assert line_of(item) == [(user.pk, number) for number, user in enumerate(crowd, 1)]


def test_beyond_the_burst_each_ticket_has_an_instant_of_its_own(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item = make_sale(quantity=9, rate=2)
    *served, cid, dan = attempt(item, *shoppers(4))
    assert outcomes(served) == ["reserved", "reserved"]
    assert [(one.outcome, one.number, one.position) for one in (cid, dan)] == [
        ("queued", 3, 0),
        ("queued", 4, 1),
    ]
    assert dan.at - cid.at == 500
    assert [cid.at, dan.at] == [queue_of(item).turn_at(3), queue_of(item).turn_at(4)]


def test_asking_again_tells_the_same_place_and_burns_no_number(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=9, rate=1), shoppers(3)
    first = attempt(item, *crowd)[1:]
    again = attempt(item, *crowd[1:], *crowd[1:])
    assert again == [*first, *first]
    assert queue_of(item).tickets == 3


def test_at_his_turn_a_shopper_is_served_and_not_before(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=9, rate=2), shoppers(2)
    attempt(item, *shoppers(2))
    waits = attempt(item, ann, ben)
    wait_until(waits[0].at)
    assert outcomes(attempt(item, ann, ben)) == ["reserved", "queued"]
    wait_until(waits[1].at)
    assert outcomes(attempt(item, ben)) == ["reserved"]


def test_within_a_batch_the_lower_ticket_is_served_first(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=3, standby_size=1, rate=2), shoppers(2)
    attempt(item, *shoppers(2))
    waits = attempt(item, ann, ben)
    wait_until(waits[1].at)
    assert outcomes(attempt(item, ben, ann)) == ["standby", "reserved"]


def test_a_turn_does_not_lapse_but_keeps_no_unit(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben) = make_sale(quantity=2, standby_size=1, rate=1), shoppers(2)
    attempt(item, *shoppers(1))
    waits = attempt(item, ann, ben)
    wait_until(waits[1].at)
    assert outcomes(attempt(item, ben)) == ["reserved"]
    assert outcomes(attempt(item, ann)) == ["standby"]


def test_capacity_does_not_pile_up_while_nobody_comes(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale(quantity=99, rate=5, opens_at=timezone.now() - timedelta(hours=1))
    assert outcomes(attempt(item, *shoppers(8))).count("reserved") == 5


def test_the_wait_ends_when_nothing_is_left(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, late = make_sale(quantity=1, rate=1), shoppers(1)
    waiting = shoppers(2)
    assert outcomes(attempt(item, *waiting)) == ["reserved", "sold_out"]
    assert outcomes(attempt(item, waiting[1], *late)) == ["sold_out"] * 2
    assert late[0].pk not in dict(line_of(item))


def test_a_full_line_gives_no_place_and_keeps_those_it_gave(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben, cid) = make_sale(quantity=9, rate=1, queue_limit=1), shoppers(3)
    assert outcomes(attempt(item, ann, ben, cid)) == ["reserved", "queued", "full"]
    assert outcomes(attempt(item, ben, cid)) == ["queued", "full"]
    assert cid.pk not in dict(line_of(item))


def test_a_pause_stops_the_line_and_a_resume_goes_on_where_it_stood(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=9, rate=2), shoppers(4)
    before = attempt(item, *crowd)
    scheduling.pause(sale_id=item.sale_id)
    assert queue_of(item).turn_at(4) == 0
    wait_until(before[3].at)
    scheduling.resume(sale_id=item.sale_id)
    after = attempt(item, *crowd)
    assert outcomes(after)[2:] == ["queued", "queued"]
    assert numbers(after)[2:] == [3, 4]
    assert after[3].at > before[3].at


def test_a_new_rate_moves_every_turn_and_nobody_overtakes(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=99, rate=1), shoppers(6)
    before = attempt(item, *crowd)
    scheduling.set_rate(sale_id=item.sale_id, rate=4)
    after = attempt(item, *crowd)
    assert numbers(after)[1:] == numbers(before)[1:] == [2, 3, 4, 5, 6]
    turns = [one.at for one in after[1:]]
    assert turns == sorted(turns)
    assert all(new.at < old.at for new, old in zip(after[1:], before[1:], strict=True))
    item.sale.refresh_from_db()
    assert item.sale.rate == 4


def test_without_a_rate_any_more_everybody_is_served(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, crowd = make_sale(quantity=9, rate=1), shoppers(4)
    attempt(item, *crowd)
    scheduling.set_rate(sale_id=item.sale_id, rate=None)
    assert outcomes(attempt(item, *crowd)) == ["reserved"] * 4


def test_a_rate_set_in_mid_sale_begins_a_line(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale(quantity=9)
    attempt(item, *shoppers(2))
    scheduling.set_rate(sale_id=item.sale_id, rate=1)
    assert outcomes(attempt(item, *shoppers(2))) == ["reserved", "queued"]


def test_the_warm_up_brings_a_rate_that_the_store_missed(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale(quantity=9, rate=1)
    type(item.sale).objects.filter(pk=item.sale_id).update(rate=7)
    scheduling.warm(sale_id=item.sale_id)
    assert queue_of(item).rate == 7


def test_the_schedule_keeps_its_last_segments_only(make_sale: MakeSale) -> None:
    item = make_sale(rate=1)
    for rate in range(2, 30):
        scheduling.set_rate(sale_id=item.sale_id, rate=rate)
    assert [segment.rate for segment in queue_of(item).schedule] == list(range(14, 30))


def test_lots_need_a_rate(make_sale: MakeSale) -> None:
    item = make_sale(rate=1, tie_band=100)
    with pytest.raises(SchedulingError):
        scheduling.set_rate(sale_id=item.sale_id, rate=None)


def lot(item: SaleItem, user: int) -> int:
    return int(
        hashlib.sha1(f"{item.sale.line_key}:{user}".encode(), usedforsecurity=False).hexdigest()[:8], 16
    )


def test_arrivals_of_one_band_are_ordered_by_lot_whenever_they_came(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=99, rate=5, tie_band=1000), shoppers(20)
    waits = [attempt(item, user)[0] for user in crowd]
    assert outcomes(waits) == ["queued"] * 20
    assert len({one.at for one in waits}) <= 2  # the ends of the bands in which they came
    wait_until(waits[-1].at)
    bands = {user.pk: one.at for user, one in zip(crowd, waits, strict=True)}
    expected = sorted(bands, key=lambda user: (bands[user], lot(item, user)))
    assert [user for user, _ in line_of(item)] == expected
    answers = dict(zip(bands, attempt(item, *crowd), strict=True))
    assert outcomes(list(answers.values())).count("reserved") >= 5
    assert [answers[user].number for user in expected if answers[user].outcome == "queued"] == sorted(
        one.number for one in answers.values() if one.outcome == "queued"
    )


def test_whoever_lines_up_before_the_opening_is_drawn_ahead_of_all_others(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    opens_at = timezone.now() + timedelta(seconds=1)
    item = make_sale(quantity=99, rate=1, shuffle_at_open=True, opens_at=opens_at)
    early, late = shoppers(10), shoppers(1)
    told = attempt(item, *early)
    assert [(one.outcome, one.number, one.at) for one in told] == [
        ("queued", 0, int(opens_at.timestamp() * 1000))
    ] * 10
    wait_until(told[0].at)
    last = attempt(item, *late)[0]
    assert last.number == 11
    drawn = sorted((user.pk for user in early), key=lambda user: lot(item, user))
    assert [user for user, _ in line_of(item)] == [*drawn, late[0].pk]
    first = next(user for user in early if user.pk == drawn[0])
    assert outcomes(attempt(item, first)) == ["reserved"]


def test_without_lots_nobody_lines_up_before_the_opening(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item = make_sale(rate=1, opens_at=timezone.now() + timedelta(minutes=1))
    assert outcomes(attempt(item, *shoppers(1))) == ["not_open"]
    assert line_of(item) == []


def test_what_a_shopper_has_is_told_with_his_ticket(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann, ben, cid) = make_sale(quantity=9, rate=1), shoppers(3)
    first, second = attempt(item, ann, ben)
    has = stock.run(stock.own(item.sale_id, [item.pk], [ann.pk, ben.pk, cid.pk]))
    assert [one.ticket.number if one.ticket else None for one in has] == [1, 2, None]
    assert has[1].ticket is not None
    assert has[1].ticket.turn_at == second.at
    assert has[0].items[item.pk].rid == first.rid
    assert has[1].items == {}


def test_tickets_outlive_a_rebuild_of_a_store_that_kept_its_data(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(quantity=9, rate=1), shoppers(3)
    attempt(item, *crowd)
    type(item.sale).objects.filter(pk=item.sale_id).update(epoch=2)
    item.sale.refresh_from_db()
    assert stock.run(stock.load(item.sale_id, scheduling.document(item.sale))) == "loaded"
    assert numbers(attempt(item, *crowd))[1:] == [2, 3]


def test_a_sale_that_an_older_version_loaded_has_no_queue(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item = make_sale()
    fields = ("rate", "schedule", "queue_limit", "tie_band", "lots_at_open", "line_key")
    get_redis_connection("sale").hdel(stock.sale_keys(item.sale_id)[0], *fields)
    assert outcomes(attempt(item, *shoppers(1))) == ["reserved"]
    assert units(item) == (2, 1, 0, 0)
