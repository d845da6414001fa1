"""Processes of an earlier run whose supervisor was killed.

On Linux the kernel has already told them to stop and we only wait for it; elsewhere we tell them ourselves.
A process is known by its id and its birth, so that an id that was given away since is left alone.
"""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from .processes import LINUX


def birth(pid: int) -> str:
    """Return when a process was born, in whatever unit the system has; empty when there is none."""
    if LINUX:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            return "" if fields[0] == "Z" else fields[19]
        return ""
    listing = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, check=False)  # noqa: S607
    return listing.stdout.decode().strip()


def births(pids: dict[str, int]) -> dict[str, list[str]]:
    """Return name -> [pid, birth] of the given processes, ready for `run.json`."""
    return {name: [str(pid), birth(pid)] for name, pid in pids.items() if pid}


def end(processes: dict[str, Any], *, patience: float = 5.0) -> None:
    """Wait for the processes of the last run to end, `patience` seconds twice, the second time by force."""
    left = [int(pid) for pid, born in processes.values() if born and birth(int(pid)) == born]
    if not LINUX:
        _signal(left, signal.SIGINT)
    _wait(left, patience)
    _signal([pid for pid in left if birth(pid)], signal.SIGKILL)
    _wait(left, patience)


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, number)


def _wait(pids: list[int], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(birth(pid) for pid in pids):
        time.sleep(0.05)
