"""The processes of a run: stores behind proxies, and roles that are started again when they were killed."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import redis

from bench import roles
from bench.chaos.disks import Disk
from bench.chaos.postbox import Postbox
from bench.chaos.proxy import Proxy
from shop.up.messages import stopped
from shop.up.ports import LOOPBACK, free_port
from shop.up.processes import Process
from shop.up.stores import Stores

READY_SECONDS = 60.0
WEB, GATES, WORKERS = "web", ("gate-1", "gate-2"), ("worker-1", "worker-2")
STORES = ("valkey", "postgres")
PAUSE_SECONDS = 1.0
MOVED = Path(__file__).with_name("moved")
"""On its path Python moves the clock of a process by `CLOCK_AHEAD` seconds."""
ROLES = (WEB, *GATES, *WORKERS, "beat")


class World:
    """What runs, by name; roles reach their stores through proxies, we do not.

    Names in `held` stay down when they end; everything else is started again. `outages` are (name, from, to)
    in ns, of whatever was started again. `disk` is PostgreSQL's own.
    """

    def __init__(self, folder: Path, stores: Stores, env: dict[str, str], disk: Disk) -> None:
        self.folder, self.stores, self.disk = folder, stores, disk
        self.processes = {process.name: process for process in stores.processes}
        self.ports: dict[str, int] = {}
        self.held: set[str] = set()
        self.outages: list[tuple[str, int, int]] = []
        self._marks: dict[str, int] = {}
        self._down: dict[str, int] = {}
        self._started: dict[str, float] = {}
        self._stopped = threading.Event()
        self.postbox = Postbox()
        self.proxies = {
            "store": Proxy(_port(stores.urls["REDIS_URL"])),
            "postgres": Proxy(_port(stores.urls["DATABASE_URL"])),
        }
        self.env = env | {
            "DATABASE_URL": _through(stores.urls["DATABASE_URL"], self.proxies["postgres"]),
            "REDIS_URL": _through(stores.urls["REDIS_URL"], self.proxies["store"]),
            "CELERY_BROKER_URL": _through(stores.urls["CELERY_BROKER_URL"], self.proxies["store"]),
            "EMAIL_URL": f"smtp://{LOOPBACK}:{self.postbox.port}",
        }

    def start(self) -> None:
        """Start all roles, wait until each is ready, and from then on keep everything running."""
        for name in ROLES:
            self._make(name)
            self._start(name)
        self._wait(self._is_ready, ROLES)
        threading.Thread(target=self._keep, daemon=True).start()

    def _make(self, name: str) -> None:
        self.ports[name] = free_port()
        kind = name.partition("-")[0]
        command = roles.command_of(kind, port=self.ports[name], folder=self.folder)
        if kind == "worker":
            command += ["--hostname", f"{name}@%h"]
        log = self.folder / "logs" / f"{name}.log"
        self.processes[name] = Process(name, command, log, self.env, roles.ROOT, stop_seconds=3)

    def _start(self, name: str) -> None:
        log = self.processes[name].log
        self._marks[name] = log.stat().st_size if log.exists() else 0
        self.processes[name].start()

    def _keep(self) -> None:
        """Start again whatever has ended, as a supervisor does.

        It is always this thread that starts: the kernel ends a child with the thread that started it.
        """
        while not self._stopped.wait(0.1):
            for name in (*STORES, *ROLES):
                is_alive = self.processes[name].alive()
                if not is_alive and name not in self.held and not self._may_rest(name):
                    self._down.setdefault(name, time.monotonic_ns())
                    self._start(name)
                    self._started[name] = time.monotonic()
                elif is_alive and name in self._down and self._is_ready(name):
                    self.outages.append((name, self._down[name], time.monotonic_ns()))
                    del self._down[name]  # last: whoever finds it up finds the outage, too

    def _may_rest(self, name: str) -> bool:
        """Whether it is too early to start it: one that ends again and again is not started all the time."""
        return time.monotonic() - self._started.get(name, 0.0) < PAUSE_SECONDS

    def _is_ready(self, name: str) -> bool:
        process, kind = self.processes[name], name.partition("-")[0]
        if kind == "valkey":
            with suppress(redis.RedisError), self.store() as client:
                return bool(client.ping())
            return False
        if kind == "postgres":
            with suppress(psycopg2.OperationalError):
                psycopg2.connect(self.stores.urls["DATABASE_URL"], connect_timeout=2).close()
                return True
            return False
        if kind == "worker":
            return b" ready." in process.log.read_bytes()[self._marks[name] :]
        paths = {"web": "/healthz", "gate": "/gate/healthz"}
        return process.alive() if kind == "beat" else roles.answers(self.ports[name], paths[kind])

    def wait_for(self, *names: str) -> None:
        """Wait until all of these run and are ready at once: one may end while another is waited for."""
        self._wait(self._is_up, names)

    def _is_up(self, name: str) -> bool:
        return self.processes[name].alive() and name not in self._down

    def _wait(self, check: Callable[[str], bool], names: Iterable[str]) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while missing := [name for name in names if not check(name)]:
            if time.monotonic() > deadline:
                raise stopped(f"The role {missing[0]}", self.processes[missing[0]].log)
            time.sleep(0.05)

    def kill(self, name: str) -> None:
        """End a process by kill -9, with all that it started."""
        self.signal(name, signal.SIGKILL)
        self.processes[name].sweep()

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a process and its children."""
        for pid in roles.tree(self.processes[name].pid()):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def store(self) -> "redis.Redis":
        """A client of Valkey that goes past the proxy."""
        return redis.Redis.from_url(self.stores.urls["REDIS_URL"], socket_timeout=5)

    def heal(self) -> None:
        """End every fault that is still there: everything runs, thawed and connected."""
        for proxy in self.proxies.values():
            proxy.heal()
        self.held.clear()
        for name in (*STORES, *ROLES):
            if self.processes[name].alive():
                self.signal(name, signal.SIGCONT)
        time.sleep(0.25)  # whoever has just died is noticed
        self.wait_for(*STORES, *ROLES)

    def stop(self) -> None:
        """Stop the roles; whoever started the stores stops them."""
        self._stopped.set()
        time.sleep(0.3)
        for name in reversed(ROLES):
            if name in self.processes:
                self.signal(name, signal.SIGCONT)
                self.processes[name].stop(3)
        for proxy in self.proxies.values():
            proxy.stop()
        self.postbox.stop()


def _port(url: str) -> int:
    return int(urlsplit(url).port or 0)


def _through(url: str, proxy: Proxy) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{proxy.port}")))
