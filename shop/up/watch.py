"""Starts again what dies, later each time, and repeats on the terminal what the logs complain of."""

import re
import time
from collections.abc import Callable

from .messages import say
from .processes import Process

LONGEST_PAUSE = 30.0  # seconds
STEADY = 60.0  # seconds up after which earlier deaths are forgotten
COMPLAINT = re.compile(r"\b(ERROR|CRITICAL|FATAL|PANIC)\b")
NUMBERS = re.compile(r"\d+")


class Watch:
    """Looks after running processes; `tick` is called a few times a second."""

    def __init__(self, processes: list[Process], *, started: Callable[[], None]) -> None:
        self._processes = processes
        self._started = started
        self._deaths: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._shown: dict[str, float] = {}
        self._read = {process.name: _size(process) for process in processes}

    def tick(self) -> None:
        """Look at every process once."""
        for process in self._processes:
            if process.alive():
                if time.monotonic() - process.started_at > STEADY:
                    self._deaths.pop(process.name, None)
            elif process.name not in self._due:
                self._mourn(process)
            elif time.monotonic() >= self._due[process.name]:
                self._start(process)
            self._repeat_complaints(process)

    def _mourn(self, process: Process) -> None:
        process.sweep()
        deaths = self._deaths.get(process.name, 0)
        pause = min(2.0**deaths, LONGEST_PAUSE)
        self._deaths[process.name] = deaths + 1
        self._due[process.name] = time.monotonic() + pause
        code = process.popen.returncode if process.popen else 0
        say(
            f"{process.name} died (exit code {code}): it is started again in {pause:.0f} s; see {process.log}"
        )

    def _start(self, process: Process) -> None:
        del self._due[process.name]
        try:
            process.start()
            self._started()
        except OSError as error:  # a full disk, no process left: the next tick counts it as another death
            say(f"{process.name} could not be started: {error.strerror}")
        else:
            say(f"{process.name} runs again")

    def _repeat_complaints(self, process: Process) -> None:
        size, read = _size(process), self._read[process.name]
        if size == read:
            return
        self._read[process.name] = size
        with process.log.open("rb") as log:
            log.seek(min(read, size))
            lines = log.read(size - min(read, size)).decode("utf-8", "replace").splitlines()
        for line in filter(COMPLAINT.search, lines):
            self._repeat(process.name, line)

    def _repeat(self, name: str, line: str) -> None:
        """Show a complaint, but the same one (whatever numbers it carries) once a minute only."""
        kind = f"{name} {NUMBERS.sub('', line)}"
        if time.monotonic() - self._shown.get(kind, -STEADY) >= STEADY:
            self._shown[kind] = time.monotonic()
            say(f"{name} | {line[:300]}")


def _size(process: Process) -> int:
    return process.log.stat().st_size if process.log.exists() else 0
