"""wrk: sends the load and tells what came back."""

import json
import resource
import shutil
import signal
import subprocess
import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from shop.up.messages import Trouble

SCRIPTS = Path(__file__).parent / "wrk"
LONGEST = 240


@dataclass(frozen=True)
class Told:
    """What wrk says of one run: times in seconds since 1970, latencies in ms; and what it cost.

    `load_cpu` and `role_cpu` are seconds on a core, of wrk and of the role that answered it.
    """

    requests: int
    seconds: float
    errors: int
    percentiles: dict[float, float]
    max_ms: float
    started_at: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    load_cpu: float = 0.0
    role_cpu: float = 0.0

    @property
    def rps(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds if self.seconds > 0 else 0.0

    def outcomes(self) -> Counter[str]:
        """Answers by outcome, whatever their status."""
        found: Counter[str] = Counter()
        for kind, count in self.answers.items():
            found[kind.partition(" ")[2]] += count
        return found


def require_wrk() -> str:
    """Return where wrk is, or raise the sentence that says how to get it."""
    found = shutil.which("wrk")
    if found is None:
        raise Trouble("The benchmark drives its load with wrk: install it with `apt-get install wrk`.")
    return found


def constant(
    address: str, path: str, *, seconds: int, connections: int, threads: int, files: Path | None = None
) -> Told:
    """Ask for one address as fast as possible, for so many seconds.

    With `files` of passes every request and answer costs wrk what an attempt would cost it.
    """
    command = [require_wrk(), f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s"]
    if files is None:
        command += [str(SCRIPTS / "constant.lua"), f"http://{address}{path}"]
    else:
        command += [str(SCRIPTS / "checked.lua"), f"http://{address}", "--"]
        command += [path, address, settings.PASS_COOKIE, str(files)]
    told = _run(command, finishes=0)
    return Told(told["requests"], told["seconds"], told["errors"], _points(told), told["max_ms"])


def attempts(
    address: str,
    path: str,
    files: Path,
    *,
    connections: int,
    threads: int,
    constant_path: str = "/gate/healthz",
    at_most: int = LONGEST,
    again: bool = False,
) -> Told:
    """Send each pass of `files` (one file a thread) once; after `at_most` seconds stop where it is.

    With `again` the files are sent over and over until then.
    """
    command = [require_wrk(), f"-t{threads}", f"-c{connections}", f"-d{at_most}s", "--timeout", "10s"]
    command += ["-s", str(SCRIPTS / "attempts.lua"), f"http://{address}", "--"]
    command += [path, address, settings.PASS_COOKIE, str(files), constant_path]
    told = _run([*command, "again"] if again else command, finishes=threads)
    answers = Counter[str](told["answers"])
    seconds = told["ended_at"] - told["started_at"] if told["ended_at"] else float(at_most)
    return Told(
        answers.total(),
        seconds,
        told["errors"],
        _points(told),
        told["max_ms"],
        told["started_at"],
        answers,
        told["cpu"],
    )


def write_passes(files: Path, passes: Sequence[str], *, threads: int) -> None:
    """Share passes out, one file a thread: FILES.1, FILES.2, …"""
    for number in range(threads):
        Path(f"{files}.{number + 1}").write_text("".join(f"{text}\n" for text in passes[number::threads]))


def _points(told: dict[str, Any]) -> dict[float, float]:
    return {float(point): ms for point, ms in told["percentiles"].items()}


def _run(command: list[str], *, finishes: int) -> dict[str, Any]:
    """Run wrk; it sleeps to the end of its time whatever its threads do, so it is woken when all are done."""
    result, done, lines, before = None, 0, [], _cpu_of_children()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        guard = threading.Timer(LONGEST + 30, process.kill)
        guard.start()
        for line in process.stdout or ():
            lines.append(line)
            if line.startswith("RESULT "):
                result = json.loads(line.removeprefix("RESULT "))
            elif line.startswith("DONE"):
                done += 1
                if done == finishes:
                    process.send_signal(signal.SIGINT)
        guard.cancel()
    if result is None:
        raise Trouble(f"wrk did not finish: {' '.join(lines[-3:]).strip()}")
    found: dict[str, Any] = result | {"cpu": _cpu_of_children() - before}
    return found


def _cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of those that have ended
    return used.ru_utime + used.ru_stime
