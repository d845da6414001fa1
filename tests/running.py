"""A whole shop for a test: `make run`'s supervisor on a free port, with a folder and stores of its own."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from shop.up import state
from shop.up.ports import free_port
from shop.up.state import ROOT

READY_WITHIN = 120.0
STORES = ("DATABASE_URL", "REDIS_URL", "CACHE_URL", "CELERY_BROKER_URL", "DJANGO_TESTING", "SECRET_KEY")


class Shop:
    """A shop that runs: where it answers, its folder, and the supervisor in its terminal."""

    def __init__(self, url: str, folder: Path, env: dict[str, str]) -> None:
        self.url, self.folder, self.env = url, folder, env
        self.output = folder.with_suffix(".out")
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the supervisor and wait for its ready line; AssertionError with what it said instead."""
        command = [sys.executable, "-m", "shop.up", "run"]
        with self.output.open("wb") as output:
            self._supervisor = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=output, stderr=output, start_new_session=True
            )
        deadline = time.monotonic() + READY_WITHIN
        while not re.search("^ready: ", self.output.read_text(), re.MULTILINE):
            if self._supervisor.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("The shop did not start:\n" + self.output.read_text())
            time.sleep(0.1)

    def stop(self) -> int:
        """Ask the supervisor to stop, as a service manager does; return its exit code."""
        assert self._supervisor is not None
        self._supervisor.terminate()
        return self._supervisor.wait(timeout=20)

    def manage(self, *arguments: str) -> str:
        """Run a management command in a second terminal; return what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    def demo_sale(self, *, quantity: int, standby: int = 50, pay_within: int = 600) -> str:
        """Make a sale that is open; return its slug. `pay_within` in seconds."""
        figures = ["--quantity", quantity, "--standby", standby, "--pay-within", pay_within]
        line = self.manage("demo", "--opens-in", "0", *map(str, figures)).splitlines()[-1]
        return f"demo-{line.split()[0].removeprefix('sale=')}"

    @contextmanager
    def frozen(self, component: str) -> Iterator[None]:
        """Hold one process of the shop still for a while."""
        pid = int(state.read_state(self.folder)["pids"][component][0])
        os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(pid, signal.SIGCONT)

    def processes(self) -> list[int]:
        """Return the ids of every process of this shop: each names its folder, or works in it."""
        everybody = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
        return [pid for pid in everybody if str(self.folder) in _facts(pid)]


def _facts(pid: int) -> str:
    """The folder, the command and the environment of a process; nothing of one that has ended."""
    process = Path(f"/proc/{pid}")
    with suppress(OSError):
        texts = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
        return f"{(process / 'cwd').readlink()} {texts!r}"
    return ""


@contextmanager
def running_shop(**settings: str) -> Iterator[Shop]:
    """Run a shop; the captcha takes “passed” for an answer."""
    folder, port = Path(tempfile.mkdtemp(prefix="flashsale-story-")), free_port()
    folder.chmod(0o755)  # ours, so that PostgreSQL may live in it when root runs the suite
    env = {name: value for name, value in os.environ.items() if name not in STORES}
    env |= {
        "DATA_DIR": str(folder),
        "PORT": str(port),
        "CAPTCHA_TEST_MODE": "1",
        "DJANGO_DEBUG": "1",
    } | settings
    shop = Shop(f"http://127.0.0.1:{port}", folder, env)
    try:
        shop.start()
        yield shop
    finally:
        shop.stop()
        shutil.rmtree(folder, ignore_errors=True)
        shop.output.unlink()
