"""The whole of `make run`: one shop is started, looked at, hurt, stopped and started again."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import psycopg2
import pytest

from shop.up import state
from shop.up.leftovers import birth
from shop.up.ports import LOOPBACK, free_port
from shop.up.processes import LINUX

pytestmark = pytest.mark.slow
STORES = {"DATABASE_URL", "REDIS_URL", "CACHE_URL", "CELERY_BROKER_URL", "DJANGO_TESTING", "SECRET_KEY"}


class Terminal:
    """A terminal with `make run` in it (after the packages are installed)."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.output = folder.with_suffix(".out")
        self.env = {name: value for name, value in os.environ.items() if name not in STORES}
        self.env |= {"DATA_DIR": str(folder), "PORT": str(port)}
        self.popen: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Start the shop and wait for its ready line."""
        with self.output.open("wb") as output:
            command = [sys.executable, "-m", "shop.up", "run"]
            self.popen = subprocess.Popen(
                command, env=self.env, cwd=state.ROOT, stdout=output, stderr=output, start_new_session=True
            )
        assert wait_for(lambda: self.ready_lines() or not self.alive(), 150), self.output.read_text()
        assert self.ready_lines(), self.output.read_text()

    def ready_lines(self) -> list[str]:
        """Return the ready lines printed so far."""
        return [line for line in self.output.read_text().splitlines() if line.startswith("ready:")]

    def alive(self) -> bool:
        """Tell whether the supervisor runs."""
        return self.popen is not None and self.popen.poll() is None

    def pids(self) -> dict[str, int]:
        """Return the process ids the shop tells of."""
        return {name: int(pid) for name, (pid, _) in state.read_state(self.folder)["pids"].items()}

    def family(self) -> list[int]:
        """Return the ids of every process of this shop, grandchildren included."""
        sessions = set(self.pids().values())
        everybody = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
        return [pid for pid in everybody if session_of(pid) in sessions]

    def manage(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Type a `manage.py` command into a second terminal."""
        env = {name: value for name, value in self.env.items() if name != "PORT"}
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, env=env, cwd=state.ROOT, capture_output=True, text=True, check=False)

    def second_run(self, **changes: str) -> "subprocess.CompletedProcess[str]":
        """Type `make run` once more, elsewhere."""
        command = [sys.executable, "-m", "shop.up", "run"]
        env = self.env | changes
        return subprocess.run(command, env=env, cwd=state.ROOT, capture_output=True, text=True, check=False)

    def get(self, path: str) -> int:
        """Return the status of a page, 0 when nobody answers."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", path)
            with connection.getresponse() as response:
                return response.status
        return 0

    def stop(self, number: signal.Signals) -> float:
        """Send a signal to the supervisor and return the seconds until it ended."""
        assert self.popen is not None
        started = time.monotonic()
        self.popen.send_signal(number)
        self.popen.wait(30)
        return time.monotonic() - started


def session_of(pid: int) -> int:
    with suppress(ProcessLookupError):
        return os.getsid(pid)
    return 0


def wait_for(happened: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if happened():
            return True
        time.sleep(0.1)
    return False


@pytest.fixture(scope="module")
def shop() -> Iterator[Terminal]:
    """A shop that runs; the tests of this file stop and start it in the order they stand here."""
    folder = Path(tempfile.mkdtemp(prefix="flashsale-test-"))
    folder.chmod(0o755)
    terminal = Terminal(folder, free_port())
    terminal.run()
    yield terminal
    if terminal.alive():
        terminal.stop(signal.SIGTERM)
    shutil.rmtree(folder, ignore_errors=True)
    terminal.output.unlink()


def test_one_ready_line_names_the_address_and_the_accounts(shop: Terminal) -> None:
    (line,) = shop.ready_lines()
    assert line.startswith(f"ready: http://127.0.0.1:{shop.port} ")
    assert "shopper@example.com" in line
    assert "flash-sale-demo" in line


def test_shop_and_gate_answer_behind_one_port(shop: Terminal) -> None:
    assert shop.get("/readyz") == 200
    assert shop.get("/gate/clock") == 200


def test_a_second_terminal_finds_the_stores(shop: Terminal) -> None:
    told = shop.manage("showmigrations", "orders")
    assert told.returncode == 0
    assert " [X] 0001_initial" in told.stdout


def test_a_second_run_in_the_same_folder_is_refused_in_one_sentence(shop: Terminal) -> None:
    told = shop.second_run(PORT=str(free_port()))
    assert told.returncode == 1
    assert told.stderr.startswith(
        f"Another run uses {shop.folder}: stop it, or choose another folder and port"
    )
    assert told.stderr.count("\n") == 1


def test_a_second_run_on_the_same_port_is_refused_in_one_sentence(shop: Terminal, folder: Path) -> None:
    told = shop.second_run(DATA_DIR=str(folder))
    assert told.returncode == 1
    assert told.stderr.startswith(
        f"Port {shop.port} is taken: stop what listens there, or choose another one"
    )
    assert told.stderr.count("\n") == 1


def test_a_killed_web_server_is_started_again_and_said_so(shop: Terminal) -> None:
    before = shop.pids()
    os.kill(before["web"], signal.SIGKILL)
    assert wait_for(lambda: shop.pids()["web"] != before["web"] and shop.get("/readyz") == 200, 40)
    assert shop.pids()["worker"] == before["worker"]
    assert "web died (exit code -9): it is started again in 1 s" in shop.output.read_text()


@pytest.mark.skipif(not LINUX, reason="looks for processes in /proc")
def test_sigterm_stops_all_of_it_within_ten_seconds(shop: Terminal) -> None:
    remember(shop, "kept")
    family = shop.family()
    assert len(family) >= 7
    assert shop.stop(signal.SIGTERM) < 10
    assert [pid for pid in family if birth(pid)] == []
    assert shop.popen is not None
    assert shop.popen.returncode == 0


def test_manage_py_then_says_what_to_start(shop: Terminal) -> None:
    told = shop.manage("showmigrations")
    assert told.returncode == 1
    assert told.stderr.startswith(f"No shop is running in {shop.folder}: start it with `make run`")


@pytest.mark.skipif(not LINUX, reason="only Linux tells a process of its parent's death")
def test_a_second_start_continues_and_a_killed_supervisor_leaves_no_orphan(shop: Terminal) -> None:
    shop.run()
    assert remembered(shop) == ["kept"]
    family = shop.family()
    assert shop.stop(signal.SIGKILL) < 1
    assert wait_for(lambda: not any(birth(pid) for pid in family), 10)


def remember(shop: Terminal, word: str) -> None:
    """Leave a row that the next start has to find."""
    with_cursor(shop, f"CREATE TABLE memory AS SELECT '{word}' AS word")


def remembered(shop: Terminal) -> list[str]:
    """Return the rows left by `remember`."""
    return with_cursor(shop, "SELECT word FROM memory")


def with_cursor(shop: Terminal, statement: str) -> list[str]:
    environment = json.loads((shop.folder / "run.json").read_text())["environment"]
    connection = psycopg2.connect(environment["DATABASE_URL"])
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return [row[0] for row in cursor.fetchall()] if cursor.description else []
    finally:
        connection.close()
