"""A beat whose clock was ahead goes on as soon as it is right, whether it was restarted for that or not."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from celery import Celery
from celery.beat import PersistentScheduler

from shop.beat import Scheduler
from shop.celery import app as shop

NOON = "2030-01-01T12:00:00Z"
TASKS = {name: {"task": name, "schedule": 1.0} for name in ("expire", "drain")}
Kind = type[PersistentScheduler]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Kind], tuple[Any, list[str]]]:
    """Make a beat with its file; what it starts is written down instead of sent."""

    def beat(kind: Kind) -> tuple[Any, list[str]]:
        started: list[str] = []
        app = Celery(set_as_current=False, broker="memory://")
        app.conf.beat_schedule = TASKS
        scheduler = kind(app=app, schedule_filename=str(tmp_path / "beat"))
        monkeypatch.setattr(scheduler, "apply_entry", lambda entry, **_: started.append(entry.task))
        return scheduler, started

    return beat


def run(scheduler: Any, clock: time_machine.Traveller, seconds: int) -> None:
    for _ in range(seconds):
        clock.shift(1)
        for _ in range(6):
            scheduler.tick()


@pytest.mark.parametrize("kind", [Scheduler, PersistentScheduler], ids=["with the guard", "without"])
@pytest.mark.parametrize("restarts", [True, False], ids=["restarted", "running"])
def test_a_clock_that_is_put_back_silences_nobody(make: Any, kind: Kind, restarts: bool) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        scheduler, started = make(kind)
        run(scheduler, clock, 3)
        assert set(started) == set(TASKS)
        clock.shift(-timedelta(hours=1))
        if restarts:
            scheduler.close()
            scheduler, started = make(kind)
        started.clear()
        run(scheduler, clock, 3)
    counts = {name: started.count(name) for name in TASKS}
    if kind is Scheduler:
        assert min(counts.values()) >= 2, counts
        assert max(counts.values()) <= 4, counts
    else:
        assert not started


def test_the_shop_beats_with_it() -> None:
    assert shop.conf.beat_scheduler == "shop.beat:Scheduler"
