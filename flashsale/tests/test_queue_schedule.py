"""The three lines of docs/queue.md: when a ticket is served, whatever the operator does.

First by themselves, over random schedules; then against the store that decides by its own three lines.
"""

import time
from collections.abc import Callable, Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale import queue, scheduling, stock
from flashsale.models import SaleItem
from flashsale.queue import Queue, Segment, served, turn_at
from flashsale.replies import Answer
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt

START = 1_700_000_000_000
TICKETS = 1_000_000
RATES = st.one_of(st.integers(1, 5000), st.just(0), st.none())
STEPS = st.lists(st.tuples(st.integers(0, 200_000), RATES), max_size=queue.KEPT - 1)
"""After so many ms a new rate, a pause (0), no limit (None)."""


def schedule_of(first: int, steps: Sequence[tuple[int, int | None]], tickets: int) -> list[Segment]:
    """Return the schedule after a series of rates, as the contract says that it is continued."""
    schedule = [Segment(START, first, first)]
    for after, rate in steps:
        at = schedule[-1].start + after
        schedule.append(Segment(at, min(served(schedule, at), tickets), rate))
    return schedule


SCHEDULES = st.builds(schedule_of, st.integers(1, 5000), STEPS, st.just(TICKETS))


@given(SCHEDULES, st.integers(1, TICKETS))
def test_a_ticket_is_served_at_its_turn_and_not_a_millisecond_before(
    schedule: list[Segment], number: int
) -> None:
    turn = turn_at(schedule, number)
    if turn:
        assert served(schedule, turn) >= number
        assert served(schedule, turn - 1) < number
    else:
        assert schedule[-1].rate == 0
        assert served(schedule, schedule[-1].start + 10**12) < number


@given(SCHEDULES, st.integers(0, 4_000_000))
def test_at_every_instant_those_are_served_whose_turn_has_come(schedule: list[Segment], after: int) -> None:
    reached = served(schedule, START + after)
    if 0 < reached < TICKETS:
        assert 0 < turn_at(schedule, reached) <= START + after
        later = turn_at(schedule, reached + 1)
        assert later == 0 or later > START + after


@given(SCHEDULES, st.integers(1, TICKETS - 1))
def test_no_ticket_overtakes_another(schedule: list[Segment], number: int) -> None:
    turn, following = turn_at(schedule, number), turn_at(schedule, number + 1)
    assert following == 0 or 0 < turn <= following


@given(SCHEDULES, st.lists(st.integers(0, 4_000_000), min_size=2))
def test_the_number_served_only_grows(schedule: list[Segment], instants: list[int]) -> None:
    reached = [min(served(schedule, START + after), TICKETS) for after in sorted(instants)]
    assert reached == sorted(reached)


@given(SCHEDULES, st.integers(0, 200_000), RATES, st.integers(1, TICKETS))
def test_what_was_served_stays_served_and_its_turn_stays_told(
    schedule: list[Segment], after: int, rate: int | None, number: int
) -> None:
    now = schedule[-1].start + after
    continued = [*schedule, Segment(now, min(served(schedule, now), TICKETS), rate)]
    if number <= served(schedule, now):
        assert turn_at(continued, number) == turn_at(schedule, number)
    else:
        assert turn_at(continued, number) == 0 or turn_at(continued, number) >= now


@given(SCHEDULES, st.integers(1, TICKETS))
def test_forgetting_the_oldest_segments_moves_nobody_who_waits(schedule: list[Segment], number: int) -> None:
    kept = schedule[len(schedule) // 2 :]
    if number > kept[0].base:
        assert turn_at(kept, number) == turn_at(schedule, number)
    else:
        assert turn_at(kept, number) == kept[0].start >= turn_at(schedule, number)


def test_before_the_opening_nobody_is_served() -> None:
    assert served([Segment(START, 200, 200)], START - 1) == 0


def test_the_ten_thousandth_at_two_hundred_a_second() -> None:
    schedule = [Segment(START, 200, 200)]
    assert turn_at(schedule, 200) == START
    assert turn_at(schedule, 201) == START + 5
    assert turn_at(schedule, 10_000) == START + 49_000
    paused = [*schedule, Segment(START + 10_000, 2200, 0), Segment(START + 70_000, 2200, 400)]
    assert turn_at(paused[:2], 2201) == 0
    assert turn_at(paused, 2200) == START + 10_000
    assert turn_at(paused, 10_000) == START + 70_000 + 19_500


def look(item: SaleItem) -> tuple[int, Queue]:
    """Return the store's time and the queue."""
    status = stock.run(stock.status(item.sale_id, []))
    assert status is not None
    assert status.queue is not None
    return status.now, status.queue


def operate(item: SaleItem, random: Random) -> None:
    """Do one thing that an operator may do."""
    rate = random.choice([1, 7, 40, 150, None])
    acts: list[Callable[[], None]] = [
        lambda: scheduling.pause(sale_id=item.sale_id),
        lambda: scheduling.resume(sale_id=item.sale_id),
        lambda: scheduling.set_rate(sale_id=item.sale_id, rate=rate),
    ]
    random.choice(acts)()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(4))
def test_the_store_serves_whom_the_schedule_says_through_any_operation(
    make_sale: MakeSale, shoppers: MakeShoppers, seed: int
) -> None:
    item, crowd, random = make_sale(quantity=500, rate=40), shoppers(400), Random(seed)
    reached, told = 0, 0
    for _ in range(60):
        if random.random() < 0.15:
            operate(item, random)
        some = random.sample(crowd, 12)
        before, answers, (now, seen) = look(item), attempt(item, *some), look(item)
        places = stock.run(stock.line(item.sale_id, 0, len(crowd)))
        numbers = dict(places)
        assert seen.served(now) >= reached
        reached = seen.served(now)
        for user, answer in zip(some, answers, strict=True):
            told += is_as_the_schedule_says(answer, numbers.get(user.pk, 0), before[0], now, seen)
        time.sleep(random.uniform(0, 0.02))
    assert told > 20


def is_as_the_schedule_says(answer: Answer, number: int, earliest: int, latest: int, seen: Queue) -> bool:
    """Compare an answer given between two instants with the schedule; whether it told of a turn."""
    if answer.outcome == "queued":
        assert (answer.number, answer.at) == (number, seen.turn_at(number))
        assert answer.at > earliest
    elif answer.outcome == "reserved" and answer.first and number:
        assert 0 < seen.turn_at(number) <= latest
    return answer.outcome == "queued"


@pytest.mark.django_db(transaction=True)
def test_the_schedule_stays_readable_when_idle_time_is_forgotten(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item = make_sale(quantity=9, rate=5)
    attempt(item, *shoppers(1))
    scheduling.set_rate(sale_id=item.sale_id, rate=6)
    time.sleep(0.7)
    attempt(item, *shoppers(1))
    now, seen = look(item)
    assert [segment.rate for segment in seen.schedule] == [5, 6]
    assert now - seen.schedule[-1].start < 200
    assert seen.schedule[-1].base <= seen.tickets + 6
