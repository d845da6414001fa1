"""One supervised process: started in a session of its own, stopped with everything it started."""

import ctypes
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from .messages import Trouble, last_line, say, stopped

PR_SET_PDEATHSIG = 1
LOG_LIMIT = 5_000_000
PROGRESS_SECONDS = 10.0
LINUX = sys.platform == "linux"
try:
    NOBODY = pwd.getpwnam("nobody").pw_uid
except KeyError:
    NOBODY = 65534
_libc = ctypes.CDLL(None, use_errno=True) if LINUX else None


@dataclass
class Process:
    """What to run and how it wants to be stopped.

    `death_signal` is what the kernel sends it when the supervisor itself is killed (Linux).
    """

    name: str
    command: list[str]
    log: Path
    env: dict[str, str]
    cwd: Path
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 2.0
    as_nobody: bool = False
    speaks: bool = False  # its standard output is the terminal, only the rest goes to the log
    popen: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)
    started_at: float = 0.0

    def start(self) -> None:
        """Start it once more. Its output is appended to `log`."""
        identity = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if self.as_nobody else {}
        with self.log.open("ab") as output:
            self.popen = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=None if self.speaks else output,
                stderr=output,
                env=self.env,
                cwd=self.cwd,
                start_new_session=True,  # Ctrl-C in the terminal is ours alone: we stop things in order
                preexec_fn=_die_with(os.getpid(), self.death_signal),  # noqa: PLW1509 - we have no threads
                **identity,  # type: ignore[call-overload]
            )
        self.started_at = time.monotonic()

    def alive(self) -> bool:
        """Tell whether it runs."""
        return self.popen is not None and self.popen.poll() is None

    def pid(self) -> int:
        """Return its process id, 0 before the first start."""
        return self.popen.pid if self.popen else 0

    def stop(self, seconds: float) -> None:
        """Ask it to stop, wait at most `seconds`, then kill it and whatever it left behind."""
        if self.popen is None:
            return
        if self.alive():
            self.popen.send_signal(self.stop_signal)
            with suppress(subprocess.TimeoutExpired):
                self.popen.wait(max(seconds, 0.0))
        self.sweep()

    def sweep(self) -> None:
        """Kill what is left of its session, such as the worker of a server whose parent was killed."""
        if self.popen is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.popen.pid, signal.SIGKILL)
        self.popen.wait()


def _die_with(parent: int, death_signal: signal.Signals) -> Callable[[], None]:
    """Return what the child does between fork and exec, after its uid was set (setuid clears the wish)."""

    def ask_the_kernel() -> None:
        if _libc is None:
            return
        _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # the supervisor died before we could ask
            os._exit(1)

    return ask_the_kernel


def run(
    name: str,
    command: list[str],
    *,
    log: Path,
    env: dict[str, str],
    cwd: Path,
    as_nobody: bool = False,
    speaks: bool = False,
) -> None:
    """Run a helper to its end; raise the sentence to show when it fails."""
    process = Process(name, command, log, env, cwd, as_nobody=as_nobody, speaks=speaks)
    process.death_signal = signal.SIGKILL
    process.start()
    told = time.monotonic()
    try:
        while process.alive():
            time.sleep(0.02)
            if time.monotonic() - told > PROGRESS_SECONDS:
                told = time.monotonic()
                say(f"  … {last_line(log)[:100]}")
    finally:
        process.stop(1)
    if process.popen is not None and process.popen.returncode != 0:
        raise stopped(name, log)


def watch_parent() -> None:
    """Under `make`, stop when make is killed: the kernel then sends us SIGTERM (Linux)."""
    if _libc is not None and os.environ.get("MAKELEVEL"):
        _libc.prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)


def rotate(log: Path) -> None:
    """Keep one older log when it has grown past 5 MB, so that an old checkout does not fill the disk."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.replace(log.with_suffix(".1.log"))


def nobody_reaches(path: Path) -> bool:
    """Tell whether the uid we drop to may read this folder or run this file (asked as that uid)."""
    check = subprocess.run(
        ["/bin/sh", "-c", 'test -x "$1" && test -r "$1"', "sh", str(path)],
        cwd="/",
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        check=False,
    )
    return check.returncode == 0


def require_database_user() -> None:
    """PostgreSQL never runs as root, nor as a number without a name; say so where that cannot be helped."""
    try:
        pwd.getpwuid(os.geteuid())
        if os.geteuid() == 0:
            nobody_reaches(Path("/"))
    except KeyError:
        raise Trouble(
            f"Your user id {os.geteuid()} has no name on this system and PostgreSQL asks for one: "
            "start the shop as a user that /etc/passwd knows, or set DATABASE_URL."
        ) from None
    except (OSError, subprocess.SubprocessError):
        raise Trouble(
            "PostgreSQL refuses to run as root and this system does not let us become `nobody`: "
            "start the shop as an ordinary user, or set DATABASE_URL."
        ) from None
