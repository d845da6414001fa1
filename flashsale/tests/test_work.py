"""Proof of work: a solution counts once, for one account and one sale; it grows with the crowd."""

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from pytest_django import Settings

from flashsale import work
from flashsale.tests.workers import solved
from flashsale.work import Fault

pytestmark = pytest.mark.usefixtures("uncounted")
BEA, SALE = 7, 3
OF_OTHER_KINDS = base64.b64encode(b'{"challenge": 1, "solution": []}').decode()
Change = Callable[[dict[str, Any]], object]


def solution(*, user: int = BEA, sale: int = SALE, most: int = 20) -> str:
    return solved(work.ask(user=user, sale=sale, most=most))


def take(text: str) -> Fault | None:
    return work.take(text, user=BEA, sale=SALE)


def altered(change: Change) -> str:
    told = json.loads(base64.b64decode(solution()))
    change(told)
    return base64.b64encode(json.dumps(told).encode()).decode()


def test_what_is_asked_grows_with_the_crowd_between_its_bounds() -> None:
    asked = [work.most_for(crowd) for crowd in range(0, 20_000, 7)]
    assert all(one <= next_one for one, next_one in pairwise(asked))
    assert (asked[0], asked[-1]) == (work.FEWEST, work.MOST)
    assert len(set(asked)) > 100


def test_a_solution_counts_once() -> None:
    text = solution()
    assert [take(text), take(text)] == [None, Fault.USED]


@pytest.mark.parametrize("text", ["x", "e30=", "W10=", "ä", "A" * 10**6, OF_OTHER_KINDS])
def test_what_is_no_solution_is_refused(text: str) -> None:
    assert take(text) is Fault.OTHER


def test_nothing_is_told_from_something_wrong() -> None:
    assert take("") is Fault.MISSING


@pytest.mark.parametrize("whose", [{"user": BEA + 1}, {"sale": SALE + 1}])
def test_a_solution_is_for_one_account_and_one_sale(whose: dict[str, int]) -> None:
    assert take(solution(**whose)) is Fault.OTHER


@pytest.mark.parametrize(
    "change",
    [
        lambda told: told["challenge"]["parameters"]["data"].update(user=BEA, most=0),
        lambda told: told["challenge"]["parameters"].update(keyPrefix=""),
        lambda told: told["challenge"]["parameters"].update(cost=1),
        lambda told: told["challenge"]["parameters"].update(expiresAt=2**40),
        lambda told: told["challenge"].update(signature=""),
        lambda told: told["solution"].update(counter=told["solution"]["counter"] + 1),
        lambda told: told["solution"].update(derivedKey="00" * 32),
    ],
)
def test_an_altered_solution_is_refused_and_not_used_up(change: Change) -> None:
    assert take(altered(change)) is Fault.OTHER


def test_a_solution_ends() -> None:
    text = solution()
    with time_machine.travel(time.time() + work.LIFE + 2):
        assert take(text) is Fault.ENDED


def test_only_what_counted_is_a_crowd_and_it_is_forgotten() -> None:
    with time_machine.travel(1_800_000_000 - 1_800_000_000 % 60 + 10, tick=False) as clock:
        for text in (one := solution(), one, "x", solution(sale=SALE + 1)):
            take(text)
        take(solution())
        assert work.crowd_of(SALE) == 2
        clock.shift(65)
        assert 0 < work.crowd_of(SALE) < 2
        clock.shift(60)
        assert work.crowd_of(SALE) == 0


def test_without_the_cache_a_solution_is_taken_and_the_crowd_is_unknown(settings: Settings) -> None:
    nowhere = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {**settings.CACHES, "default": nowhere}
    text = solution()
    assert [take(text), take(text), take("x")] == [None, None, Fault.OTHER]
    assert work.crowd_of(SALE) == 0


def looked_at_first(barrier: Barrier) -> Callable[..., bool]:
    """The guard as it must not be: look whether a solution was used, and write it down afterwards."""

    def is_first(signature: str, **_: int) -> bool:
        used = cache.get(f"work-{signature}")
        barrier.wait(10)
        cache.set(f"work-{signature}", 1)
        return used is None

    return is_first


@pytest.mark.parametrize("guarded", [True, False], ids=["with the guard", "without"])
def test_of_two_posts_of_one_solution_one_counts(guarded: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not guarded:
        monkeypatch.setattr(work, "_is_first", looked_at_first(Barrier(2)))
    text = solution()
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(take, [text, text]))
    assert answers.count(None) == (1 if guarded else 2)
