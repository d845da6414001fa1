"""What the supervisor says on the terminal, and the one way it gives up."""

import errno
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Trouble(Exception):
    """The shop cannot start. The text is one clear sentence that names the remedy."""


def say(text: str) -> None:
    """Print one line at once. A terminal that went away does not stop the shop."""
    with suppress(OSError, ValueError):
        print(text, flush=True)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Announce a step and, when it took longer than a second, say how long (seconds)."""
    say(f"  {name} …")
    started = time.monotonic()
    yield
    seconds = time.monotonic() - started
    if seconds > 1:
        say(f"  {name}: done in {seconds:.1f} s")


def last_line(log: Path) -> str:
    """Return the last line of a log that says something, at most 300 characters."""
    with suppress(OSError):
        lines = log.read_text("utf-8", "replace")[-4000:].splitlines()
        told = [line.strip() for line in lines if line.strip()]
        if told:
            return told[-1][:300]
    return "it said nothing"


def stopped(what: str, log: Path) -> Trouble:
    """Describe a part of the shop that stopped while it was being started."""
    tail = log.read_text("utf-8", "replace")[-4000:] if log.exists() else ""
    if "No space left on device" in tail:
        return disk_full(log)
    return Trouble(f"{what} stopped: {last_line(log)} (all of it is in {log}).")


def disk_full(path: Path | str) -> Trouble:
    """Say where space is missing."""
    return Trouble(
        f"The disk is full at {path}: free some space there, or set DATA_DIR to a folder elsewhere."
    )


def from_os_error(error: OSError, path: Path) -> Trouble:
    """Turn an error of the operating system into a sentence; `path` is the data folder."""
    place = error.filename or path
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return disk_full(place)
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return Trouble(f"{place} cannot be written: set DATA_DIR to a folder of your own.")
    return Trouble(f"{error.strerror or error}: {place}. Set DATA_DIR to another folder, or mend this one.")


def fail(trouble: Trouble) -> int:
    """Print the sentence on stderr and return the exit code."""
    with suppress(OSError, ValueError):
        print(f"{trouble}", file=sys.stderr, flush=True)
    return 1
