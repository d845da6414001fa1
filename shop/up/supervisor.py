"""One run of the shop: start everything in order, watch it, stop it in reverse."""

import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType

from . import components, leftovers, state
from .demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from .messages import say, step
from .ports import LOOPBACK, require_free, shop_port
from .processes import Process, run, watch_parent
from .stores import Stores
from .watch import Watch

STOP_SECONDS = 9.0


class StopAsked(BaseException):
    """Ctrl-C, SIGTERM or a closed terminal. No Exception: nothing on the way may take it for a failure."""


class Shop:
    """Everything that runs between `make run` and Ctrl-C."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.lock = state.Lock(folder)
        self.stores = Stores(folder)
        self.components: list[Process] = []
        self.env: dict[str, str] = {}

    @property
    def processes(self) -> list[Process]:
        """All supervised processes in the order they were started."""
        return [*self.stores.processes, *self.components]

    def start(self, given: dict[str, str]) -> None:
        """Start stores, schema, demo data and components; return when all of them answer."""
        leftovers.end(state.read_state(self.folder).get("pids", {}))
        (self.folder / "run.json").unlink(missing_ok=True)
        require_free(self.port)
        with step("starting PostgreSQL and Valkey"):
            self.stores.start(given)
        self.env = components.environment(self.folder, self.port, self.stores.urls)
        self.publish()
        self._prepare()
        with step("starting web, gate, worker and beat"):
            for process in components.components(self.folder, self.port, self.env):
                self.components.append(process)
                process.start()
            self.publish()
            components.wait_until_ready(self.components, self.port, self.env)

    def _prepare(self) -> None:
        command = [sys.executable, "-m", "shop.up.prepare"]
        log = self.folder / "logs" / "prepare.log"
        log.unlink(missing_ok=True)
        run("Preparing the shop", command, log=log, env=self.env, cwd=state.ROOT, speaks=True)

    def publish(self) -> None:
        """Tell other terminals where the stores are, and the next run which processes were ours."""
        pids = leftovers.births({process.name: process.pid() for process in self.processes})
        state.write_state(self.folder, environment=components.published(self.env), pids=pids)

    def watch(self) -> None:
        """Start again whatever dies, until asked to stop."""
        watch = Watch(self.processes, started=self.publish)
        while True:
            watch.tick()
            time.sleep(0.2)

    def stop(self) -> None:
        """Stop everything, last started first, within ten seconds."""
        deadline = time.monotonic() + STOP_SECONDS
        for process in reversed(self.processes):
            process.stop(min(process.stop_seconds, deadline - time.monotonic()))
        with suppress(OSError):
            (self.folder / "run.json").unlink(missing_ok=True)
        self.lock.release()


def run_shop(given: dict[str, str]) -> int:
    """Run the shop until it is asked to stop; return the exit code."""
    folder, port = state.data_dir(), shop_port()
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop(folder, port)
    shop.lock.take()  # before anything of the folder is touched: what is there may be another run's
    _listen(_ask_to_stop)
    try:
        watch_parent()
        shop.start(given)
        say(_ready_line(port))
        shop.watch()
    except StopAsked:
        say("stopping …")
        return 0
    finally:
        _listen(signal.SIG_IGN)
        shop.stop()
    return 0


def _listen(handler: object) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)  # type: ignore[arg-type]


def _ask_to_stop(_number: int, _frame: FrameType | None) -> None:
    _listen(signal.SIG_IGN)
    raise StopAsked


def _ready_line(port: int) -> str:
    people = ", ".join(email for _, email, _ in DEMO_ACCOUNTS)
    return f"ready: http://{LOOPBACK}:{port} (log in as {people}; the password of each is {DEMO_PASSWORD})"
