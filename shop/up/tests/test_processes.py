"""Processes are stopped with everything they started, and never outlive their supervisor."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from shop.up.leftovers import birth
from shop.up.messages import Trouble
from shop.up.processes import LINUX, run
from shop.up.state import ROOT

from .conftest import Spawn

DEAF = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
PARENT = """
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]).pid, flush=True)
time.sleep(60)
"""
SUPERVISOR = """
import sys, time
from pathlib import Path
from shop.up.processes import Process
folder = Path(sys.argv[1])
part = Process("part", [sys.executable, "-c", "import time; time.sleep(60)"], folder / "log", {}, folder)
part.start()
print(part.pid(), flush=True)
time.sleep(60)
"""


def wait_for(log: Path) -> str:
    for _ in range(200):
        if log.exists() and log.read_text().strip():
            return log.read_text().strip()
        time.sleep(0.05)
    raise AssertionError(f"{log} stayed empty")


def wait_until_gone(pid: int) -> bool:
    for _ in range(100):
        if not birth(pid):
            return True
        time.sleep(0.05)
    return False


def test_a_process_that_ignores_sigterm_is_killed_when_its_time_is_up(spawn: Spawn) -> None:
    process = spawn(DEAF)
    process.start()
    wait_for(process.log)
    started = time.monotonic()
    process.stop(0.3)
    assert not process.alive()
    assert process.popen is not None
    assert process.popen.returncode == -signal.SIGKILL
    assert 0.3 <= time.monotonic() - started < 2


def test_what_a_process_started_goes_with_it(spawn: Spawn) -> None:
    process = spawn(PARENT)
    process.start()
    child = int(wait_for(process.log))
    assert birth(child)
    process.stop(1)
    assert wait_until_gone(child)


@pytest.mark.skipif(not LINUX, reason="only Linux tells a process of its parent's death")
def test_a_killed_supervisor_leaves_no_orphan(folder: Path) -> None:
    command = [sys.executable, "-c", SUPERVISOR, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert birth(child)
        supervisor.kill()
    assert wait_until_gone(child)


def test_a_helper_that_fails_is_told_with_its_last_words(folder: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('the oven is cold')"]
    with pytest.raises(Trouble, match=r"^Baking stopped: the oven is cold \(all of it is in .*\)\.$"):
        run("Baking", command, log=folder / "log", env={}, cwd=folder)


def test_a_full_disk_is_told_with_its_remedy(folder: Path) -> None:
    command = [sys.executable, "-c", "import sys; sys.exit('write: No space left on device')"]
    with pytest.raises(Trouble, match=r"^The disk is full at .*: free some space there, or set DATA_DIR"):
        run("Baking", command, log=folder / "log", env={}, cwd=folder)
