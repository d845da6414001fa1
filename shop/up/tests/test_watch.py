"""What dies is started again, later each time."""

import time
from pathlib import Path

import pytest

from shop.up.watch import Watch

from .conftest import Spawn

SLEEP = "import time; time.sleep(60)"


def tick_until(watch: Watch, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        watch.tick()
        time.sleep(0.02)


def test_a_killed_process_runs_again_after_a_second_and_is_published(
    spawn: Spawn, capsys: pytest.CaptureFixture[str]
) -> None:
    process = spawn(SLEEP, name="worker")
    process.start()
    published: list[int] = []
    watch = Watch([process], started=lambda: published.append(process.pid()))
    watch.tick()
    first = process.pid()
    assert process.popen is not None
    process.popen.kill()
    process.popen.wait()
    watch.tick()
    assert not process.alive()
    tick_until(watch, 1.2)
    assert process.alive()
    assert process.pid() != first
    assert published == [process.pid()]
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("worker died (exit code -9): it is started again in 1 s; see ")
    assert said[1] == "worker runs again"


def test_the_pause_doubles_with_each_death(spawn: Spawn, capsys: pytest.CaptureFixture[str]) -> None:
    process = spawn("pass")
    process.start()
    tick_until(Watch([process], started=lambda: None), 3.6)
    pauses = [line.partition("again in ")[2][:3] for line in capsys.readouterr().out.splitlines()]
    assert [pause for pause in pauses if pause] == ["1 s", "2 s", "4 s"]


def test_the_same_complaint_is_repeated_once(
    spawn: Spawn, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = spawn(SLEEP, name="web")
    process.start()
    watch = Watch([process], started=lambda: None)
    with (folder / "logs" / "web.log").open("a") as log:
        log.write("12:00 ERROR order 1 failed\n12:01 ERROR order 2 failed\n12:02 INFO all is well\n")
    watch.tick()
    assert capsys.readouterr().out == "web | 12:00 ERROR order 1 failed\n"
