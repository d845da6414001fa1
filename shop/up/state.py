"""What a running shop leaves in DATA_DIR: the lock, its own secrets, and its stores (`run.json`)."""

import fcntl
import json
import os
import secrets
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from .messages import Trouble

ROOT = Path(__file__).resolve().parent.parent.parent
STORELESS = {"test", "help", "--help", "-h", "version", "--version", "collectstatic", "findstatic"}
STORELESS |= {"makemessages", "compilemessages", "check", "makemigrations", "diffsettings", "startapp"}


def data_dir() -> Path:
    """Return DATA_DIR (default `.data` beside manage.py) as an absolute path."""
    return Path(os.environ.get("DATA_DIR") or ROOT / ".data").expanduser().resolve()


class Lock:
    """Holds DATA_DIR for one run. The kernel lets go of it when the process ends, however it ends."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "run.lock"
        self._file: TextIO | None = None

    def take(self) -> None:
        """Take the lock, or raise the sentence to show when another run has it."""
        self._file = self._path.open("a")
        for _ in range(10):  # `is_running` holds it for an instant while it looks
            with suppress(BlockingIOError):
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(0.05)
        self.release()
        raise Trouble(
            f"Another run uses {self._path.parent}: stop it, or choose another folder and port, "
            "e.g. make run DATA_DIR=.data2 PORT=8001."
        )

    def release(self) -> None:
        """Let go of it, if it was taken."""
        if self._file is not None:
            self._file.close()
            self._file = None


def is_running(folder: Path) -> bool:
    """Tell whether a supervisor holds this folder now."""
    try:
        with (folder / "run.lock").open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except BlockingIOError:
        return True
    except OSError:
        return False


def write_private(path: Path, text: str) -> None:
    """Replace a file in one step; nobody but its owner may read it."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    draft.replace(path)


def secret(folder: Path, name: str) -> str:
    """Return the secret kept under this name, made at the first call: 64 hexadecimal digits."""
    path = folder / name
    with suppress(OSError):
        kept = path.read_text("ascii").strip()
        if kept:
            return kept
    made = secrets.token_hex(32)
    write_private(path, made + "\n")
    return made


def write_state(folder: Path, *, environment: dict[str, str], pids: dict[str, list[str]]) -> None:
    """Publish where the shop and its stores are and which processes they are (name -> [id, birth])."""
    state = {"supervisor": os.getpid(), "pids": pids, "environment": environment}
    write_private(folder / "run.json", json.dumps(state, indent=1) + "\n")


def read_state(folder: Path) -> dict[str, Any]:
    """Return what the last run published, or nothing."""
    with suppress(OSError, ValueError):
        state = json.loads((folder / "run.json").read_text("utf-8"))
        if isinstance(state, dict):
            return state
    return {}


def running_environment(folder: Path) -> dict[str, str]:
    """Return the settings of the `make run` that uses this folder now (stores, keys, port), or nothing."""
    if not is_running(folder):
        return {}
    environment = read_state(folder).get("environment", {})
    return {str(name): str(value) for name, value in environment.items()}


def require_stores(arguments: list[str]) -> None:
    """Let `manage.py` use the stores of the running shop, or end it with one sentence.

    A DATABASE_URL in the environment says that the caller knows better: then nothing is changed.
    """
    if os.environ.get("DATABASE_URL"):
        return
    command = arguments[1] if len(arguments) > 1 else "help"
    if command in STORELESS or {"-h", "--help"} & set(arguments):
        if not os.environ.get("SECRET_KEY"):
            os.environ.setdefault("DJANGO_DEBUG", "1")
        return
    environment = running_environment(data_dir())
    if not environment:
        sys.exit(
            f"No shop is running in {data_dir()}: start it with `make run` in another terminal, "
            "or set DATABASE_URL and REDIS_URL to stores of your own."
        )
    for name, value in environment.items():
        os.environ.setdefault(name, value)
