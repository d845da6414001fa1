"""The format of a history: one JSON object a line, appended, one file a process.

A client writes `invoke` before it sends and `ok`, `fail` or `info` after it has received, so that a killed
client leaves an open invoke. `ok` is a definite answer; `fail` did certainly nothing; `info`, or no end,
is *unknown*: it may have happened at any time from the invoke to the end of the run.
"""

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KINDS = frozenset({"invoke", "ok", "fail", "info"})
CALLS = frozenset({"attempt", "pay", "cancel", "decline"})
"""What a client asks and is answered."""
OPS = CALLS | {
    "sale",
    "status",
    "pause",
    "resume",
    "rate",
    "add",
    "rebuild",
    "fault",
    "heal",
    "snapshot",
    "end",
}
OPS |= {"promote", "release", "record", "webhook", "refund", "mail"}
MS = 1_000_000
"""Nanoseconds in a millisecond."""


class HistoryError(Exception):
    """The history cannot be judged; the text says why."""


@dataclass(frozen=True, slots=True)
class Event:
    """One line. `t` is monotonic (ns); `pay_by` and times in `v` are the servers' (ms since 1970)."""

    t: int
    kind: str
    op: str
    proc: str = ""
    id: str = ""
    wall: str = ""
    run: str = ""
    seed: int = 0
    sale: int = 0
    item: int = 0
    user: int = 0
    rid: str = ""
    epoch: int = 0
    seq: int = 0
    n: int = 0
    outcome: str = ""
    pay_by: int = 0
    amount: int = 0
    msgid: str = ""
    v: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = {
            "user": self.user,
            "item": self.item,
            "rid": self.rid,
            "outcome": self.outcome,
            "id": self.id,
        }
        told = " ".join(f"{name}={value}" for name, value in parts.items() if value)
        return f"{self.t / 1e9:.3f} {self.proc} {self.kind} {self.op} {told}"


NUMBERS = frozenset({"t", "seed", "sale", "item", "user", "epoch", "seq", "n", "pay_by", "amount"})
FIELDS = frozenset(Event.__dataclass_fields__)


def from_dict(line: dict[str, Any]) -> Event:
    """Read one line. Raises HistoryError for what no process of ours writes."""
    unknown = set(line) - FIELDS
    if unknown or not {"t", "kind", "op"} <= set(line):
        raise HistoryError(f"A line with the fields {sorted(line)} is not of a history.")
    wrong = [name for name in NUMBERS & set(line) if type(line[name]) is not int]
    if wrong or line["kind"] not in KINDS or line["op"] not in OPS:
        raise HistoryError(f"A line that no process writes: {json.dumps(line)[:200]}.")
    return Event(**line)


def read(paths: Iterable[Path]) -> list[Event]:
    """Merge files by time, file and line. Raises HistoryError; a torn last line was its process's last."""
    found = [
        (event.t, at, number, event)
        for at, path in enumerate(paths)
        for number, event in enumerate(_lines(path))
    ]
    return [event for *_, event in sorted(found, key=lambda one: one[:3])]


def _lines(path: Path) -> Iterator[Event]:
    lines = path.read_text("utf-8").split("\n")
    for number, text in enumerate(lines, 1):
        if not text:
            continue
        try:
            yield from_dict(json.loads(text))
        except json.JSONDecodeError as error:
            if number == len(lines):
                return
            raise HistoryError(f"Line {number} of {path.name} is not JSON: {error}.") from error


class Writer:
    """Appends events to one file; each line is written whole and at once."""

    def __init__(self, path: Path, *, run: str, seed: int, proc: str) -> None:
        self._file = path.open("a", buffering=1, encoding="utf-8")
        self._fixed = {"run": run, "seed": seed, "proc": proc}

    def write(self, kind: str, op: str, *, t: int = 0, **fields: Any) -> None:
        """Write one event; its time is now unless `t` (ns) says else."""
        wall = datetime.now(UTC).isoformat(timespec="milliseconds")
        line = {"t": t or time.monotonic_ns(), "wall": wall, "kind": kind, "op": op, **self._fixed, **fields}
        self._file.write(json.dumps(line, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Write nothing more."""
        self._file.close()
