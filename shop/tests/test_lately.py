"""The last minute's requests: what is counted, what is forgotten, and what all processes told together."""

import math
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import cast

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from shop import lately, processes
from shop.lately import BOUNDS, Minute, quantile

NOWHERE = "redis://127.0.0.1:1/0"
LENGTH = len(BOUNDS) + 1


@pytest.fixture(autouse=True)
def _nobody_told() -> None:
    cache.clear()


def counted(**at: int) -> list[int]:
    """Return counts with so many requests at these places."""
    return [at.get(f"at_{place}", 0) for place in range(LENGTH)]


def test_one_request_of_a_slot_tells_and_a_minute_later_it_is_forgotten() -> None:
    minute = Minute()
    assert [minute.add(0.003, now=now) for now in (100.0, 104.9, 105.0, 109.0)] == [True, False, True, False]
    assert minute.add(0.4, now=161.0)
    assert minute.counts() == counted(at_0=4, at_6=1)
    assert minute.add(60.0, now=169.9)
    assert minute.counts() == counted(at_0=2, at_6=1, at_11=1)
    minute.add(0.005, now=900.0)
    assert minute.counts() == counted(at_0=1)


class Dawdling(dict[int, list[int]]):
    """Slots that let other threads by between the look for one and what follows from it."""

    def __contains__(self, slot: object) -> bool:
        found = super().__contains__(slot)
        time.sleep(0.05)
        return found


def told_by_eight_threads(lock: AbstractContextManager[object]) -> tuple[int, int]:
    """Let eight requests come at once; return how many of them tell and how many are counted."""
    minute = Minute()
    minute._lock, minute._slots = cast(Lock, lock), Dawdling()
    with ThreadPoolExecutor(8) as pool:
        firsts = list(pool.map(lambda _: minute.add(0.02, now=7.0), range(8)))
    return firsts.count(True), sum(minute.counts())


def test_threads_count_every_request_and_one_of_them_tells() -> None:
    assert told_by_eight_threads(Lock()) == (1, 8)


def test_control_without_the_lock_several_tell() -> None:
    assert told_by_eight_threads(nullcontext())[0] > 1


def test_the_quantile_lies_between_its_bounds() -> None:
    assert quantile(0.99, counted(at_0=100)) == pytest.approx(0.00495)
    assert quantile(0.99, counted(at_0=99, at_7=1)) == pytest.approx(0.005)
    assert quantile(0.99, counted(at_0=98, at_7=2)) == pytest.approx(0.75)
    assert quantile(0.5, counted(at_4=10)) == pytest.approx(0.075)
    assert quantile(0.99, counted(at_0=9, at_11=1)) == math.inf
    with pytest.raises(ValueError, match="no request"):
        quantile(0.99, counted())


def test_processes_are_added_up_and_each_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lately.told() == ([], 0)
    processes.tell(lately.ROLE, counted(at_0=1))
    processes.tell(lately.ROLE, counted(at_0=5))
    monkeypatch.setattr(processes, "BORN", "another")
    processes.tell(lately.ROLE, counted(at_0=2, at_11=1))
    monkeypatch.setattr(processes, "BORN", "newer")
    processes.tell(lately.ROLE, [1, 2, 3])
    assert lately.told() == (counted(at_0=7, at_11=1), 2)


def test_who_says_nothing_more_is_forgotten_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    with time_machine.travel(1_000_000.0, tick=False) as clock:
        processes.tell("live", [3, 10])
        clock.shift(14)
        monkeypatch.setattr(processes, "BORN", "another")
        processes.tell("live", [4, 10])
        assert processes.told("live", within=15) == [[3, 10], [4, 10]]
        clock.shift(2)
        assert processes.told("live", within=15) == [[4, 10]]
        clock.shift(45)
        processes.tell("live", [4, 10])
        assert processes.told("live", within=1000) == [[4, 10]]


def test_a_request_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lately, "_minute", Minute())
    Client().get("/healthz")
    found = lately.told()
    assert found is not None
    assert (sum(found[0]), found[1]) == (1, 1)


def test_without_the_cache_a_request_is_answered_and_nothing_is_known(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lately, "_minute", Minute())
    settings.CACHES = settings.CACHES | {"default": settings.CACHES["default"] | {"LOCATION": NOWHERE}}
    assert Client().get("/healthz").status_code == 200
    assert lately.told() is None
    assert sum(lately._minute.counts()) == 1
