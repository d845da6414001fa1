"""The commands with which containers start: each role runs right here, and ends when it is asked to."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shop.edge.__main__ import nginx
from shop.up.messages import Trouble
from shop.up.ports import free_port

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
WITHIN = 60.0


def environment(port: int) -> dict[str, str]:
    """What a container is told, and where its programs are here."""
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PORT": str(port),
        "ALLOWED_HOSTS": "shop.test",
        "C_FORCE_ROOT": "1",  # Celery asks root to say that it is meant; a container's user is another one
    }


@contextmanager
def role(name: str, env: dict[str, str], log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a role by the containers' entry point; it must end by itself when it is asked to."""
    with log.open("wb") as output:
        command = [str(DOCKER / "role"), name]
        process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=output, stdout=output)
    try:
        yield process
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(timeout=30)


def becomes(holds: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + WITHIN
    while not holds():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.2)


def succeeds(*command: str, env: dict[str, str]) -> bool:
    return subprocess.run(command, cwd=ROOT, env=env, check=False, capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("name", "path"), [("web", "/healthz"), ("gate", "/gate/healthz"), ("live", "/gate/live/healthz")]
)
def test_a_role_that_answers_starts_and_the_health_check_finds_it(
    name: str, path: str, tmp_path: Path
) -> None:
    port, log = free_port(), tmp_path / "log"
    env, check = environment(port), [sys.executable, str(DOCKER / "healthy")]
    with role(name, env, log) as process:
        becomes(lambda: succeeds(*check, path, str(port), env=env), process, log)
        wrong = subprocess.run(
            [*check, "/nowhere", str(port)], env=env, check=False, capture_output=True, text=True
        )
        assert (wrong.returncode, wrong.stderr) == (1, "/nowhere answered 404\n")


def test_the_edge_starts_on_a_folder_of_its_own_and_the_health_check_finds_it(tmp_path: Path) -> None:
    try:
        nginx()
    except Trouble as trouble:
        pytest.skip(str(trouble))
    port, log = free_port(), tmp_path / "log"
    tmp_path.chmod(0o755)
    of_edge = {
        "EDGE_KEY": "k" * 32,
        "EDGE_LISTEN": f"127.0.0.1:{port}",
        "EDGE_CONNECTIONS": "512",
        "EDGE_FOLDER": str(tmp_path / "edge"),
        # Names of other containers mean nothing here.
        "EDGE_WEB": "127.0.0.1:9",
        "EDGE_GATE": "127.0.0.1:9",
    }
    env = environment(port) | of_edge
    with role("edge", env, log) as process:
        check = [sys.executable, str(DOCKER / "healthy"), "/edge/healthz", str(port)]
        becomes(lambda: succeeds(*check, env=env), process, log)


def test_a_worker_starts_and_the_health_check_of_its_container_finds_it(tmp_path: Path) -> None:
    log, env = tmp_path / "log", environment(free_port())
    with role("worker", env, log) as process:
        celery = str(Path(sys.executable).parent / "celery")
        check = [celery, "-A", "shop", "inspect", "ping", "--timeout", "3"]  # it waits for all of it
        becomes(lambda: succeeds(*check, env=env), process, log)


@pytest.mark.parametrize(
    ("name", "word"), [("beat", "beat: Starting"), ("drain", "A store is away, nothing is lost")]
)
def test_beat_and_drain_start_and_end_when_they_are_asked_to(name: str, word: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    nowhere = {"DATABASE_URL": "postgres://shop:shop@127.0.0.1:9/shop"}  # so that draining has a word to say
    with role(name, environment(free_port()) | nowhere, log) as process:
        becomes(lambda: word in log.read_text(), process, log)
    assert process.returncode == 0, log.read_text()


def test_a_command_of_the_shop_runs_in_a_container() -> None:
    done = subprocess.run(
        [str(DOCKER / "role"), "manage", "rollable", "--help"],
        cwd=ROOT,
        env=environment(free_port()),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "--pause" in done.stdout) == (0, True)


def test_a_role_that_does_not_exist_is_told_so() -> None:
    done = subprocess.run([str(DOCKER / "role"), "cook"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no role cook: choose web, gate, ")
