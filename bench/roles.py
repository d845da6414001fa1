"""The roles as processes of their own, started by the very commands of the Procfile."""

import os
import shlex
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from shop.up.ports import LOOPBACK
from shop.up.processes import Process

ROOT = Path(__file__).resolve().parent.parent
STOP_SECONDS = 3.0
TICKS = os.sysconf("SC_CLK_TCK")


def command_of(role: str, *, port: int, folder: Path) -> list[str]:
    """Return a role's command as the Procfile has it, on loopback and with the programs of this Python."""
    for line in (ROOT / "Procfile").read_text().splitlines():
        name, _, text = line.partition(": ")
        if name == role:
            replaced = {"0.0.0.0": LOOPBACK, "/tmp/beat-schedule": str(folder / "beat")}  # noqa: S104, S108
            words = [str(port) if word.startswith("${PORT") else word for word in shlex.split(text)]
            return [sys.executable, "-m", *(replaced.get(word, word) for word in words)]
    raise KeyError(role)


def process_of(name: str, command: list[str], *, folder: Path) -> Process:
    """Return the process, not started; it inherits the environment of the benchmark."""
    log = folder / "logs" / f"{name}.log"
    return Process(name, command, log, dict(os.environ), ROOT, stop_seconds=STOP_SECONDS)


def answers(port: int, path: str) -> bool:
    """Tell whether a role answers there without an error of its own."""
    connection = HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        with suppress(OSError, HTTPException):
            connection.request("GET", path, headers={"X-Forwarded-Proto": "https"})
            return connection.getresponse().status < 500
    finally:
        connection.close()
    return False


def tree(pid: int) -> list[int]:
    """Return a process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def pin(pids: list[int], cores: set[int]) -> None:
    """Let these processes, every thread of them, run on these cores only (what `taskset -a -c -p` does)."""
    for pid in pids:
        with suppress(OSError):
            for thread in Path(f"/proc/{pid}/task").iterdir():
                with suppress(OSError):
                    os.sched_setaffinity(int(thread.name), cores)


@contextmanager
def own_core(pid: int, others: Iterable[int]) -> Iterator[None]:
    """Give a role the last core for itself while the body runs; `others` and we share the other ones."""
    cores = set(range(os.cpu_count() or 1))
    own = {max(cores)}
    rest = [
        one for other in (os.getpid(), *others) for one in ([other] if other == os.getpid() else tree(other))
    ]
    pin(rest, cores - own or own)
    pin(tree(pid), own)
    try:
        yield
    finally:
        pin([*rest, *tree(pid)], cores)


def forget_peaks(pid: int) -> None:
    """Begin to measure the peak memory of a process and its descendants anew."""
    for one in tree(pid):
        with suppress(OSError):
            Path(f"/proc/{one}/clear_refs").write_text("5")


def peak_mib(pid: int) -> float:
    """Return the peak memory (VmHWM, MiB) of the largest process among this one and its descendants."""
    peaks = [0]
    for one in tree(pid):
        with suppress(OSError, ValueError):
            lines = Path(f"/proc/{one}/status").read_text().splitlines()
            peaks += [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return max(peaks) / 1024


def rss_kib(pid: int) -> int:
    """Return the memory (VmRSS, KiB) of a process and all its descendants now."""
    total = 0
    for one in tree(pid):
        with suppress(OSError, ValueError):
            lines = Path(f"/proc/{one}/status").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
    return total


def cpu_seconds(pid: int) -> float:
    """Return the time on a core (user and system, s) of a process and all its descendants so far."""
    total = 0
    for one in tree(pid):
        with suppress(OSError, ValueError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            total += sum(map(int, fields[11:15]))  # its own, and of those that have ended
    return total / TICKS


def busy_seconds() -> float:
    """Return the time that all cores of this machine have worked (s), for whomever."""
    user, nice, system, _, _, irq, soft, *_ = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:]
    )
    return (user + nice + system + irq + soft) / TICKS
