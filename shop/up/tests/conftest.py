"""Folders for real processes: in /tmp and open to `nobody`, because PostgreSQL never runs as root."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shop.up.processes import Process

Spawn = Callable[..., Process]


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty data folder."""
    made = Path(tempfile.mkdtemp(prefix="flashsale-test-"))
    made.chmod(0o755)
    (made / "logs").mkdir()
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
def spawn(folder: Path) -> Iterator[Spawn]:
    """Describe processes that run a bit of Python; they are killed at the end."""
    made: list[Process] = []

    def describe(code: str, *, name: str = "part") -> Process:
        log = folder / "logs" / f"{name}.log"
        made.append(Process(name, [sys.executable, "-c", code], log, {}, folder))
        return made[-1]

    yield describe
    for process in made:
        process.stop_signal = signal.SIGKILL
        process.stop(5)
