"""A RabbitMQ of a test's own: its name, ports, folder and port mapper, all gone afterwards."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from kombu import Connection
from kombu.exceptions import OperationalError

from shop.up.ports import LOOPBACK, free_port

HOME = Path("/usr/lib/rabbitmq/bin")
READY_WITHIN = 60.0


class Rabbit:
    """One broker on loopback; `guest` may do everything."""

    def __init__(self, folder: Path) -> None:
        port, mapper, link = free_port(), free_port(), free_port()
        self.url = f"amqp://guest:guest@{LOOPBACK}:{port}//"
        self._log = folder / "rabbit.log"
        self._mapper = [str(shutil.which("epmd")), "-port", str(mapper), "-address", LOOPBACK]
        self._env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "ERL_EPMD_PORT": str(mapper),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "RABBITMQ_NODENAME": f"test{port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(port),
            "RABBITMQ_DIST_PORT": str(link),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "logs"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            # A laptop of two cores and a full disk are enough for a test.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2 -rabbit disk_free_limit 1000000",
        }
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        with self._log.open("ab") as log:
            for command in (self._mapper, [str(HOME / "rabbitmq-server")]):
                self._processes.append(
                    subprocess.Popen(command, env=self._env, stdout=log, stderr=log, start_new_session=True)
                )
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            try:
                with Connection(self.url, connect_timeout=2) as connection:
                    connection.connect()
            except (OSError, OperationalError):
                time.sleep(0.2)
            else:
                return
        raise AssertionError("RabbitMQ did not start:\n" + self._log.read_text()[-3000:])

    def ctl(self, *arguments: str) -> str:
        """Ask the broker as an operator does."""
        command = [str(HOME / "rabbitmqctl"), "--quiet", *arguments]
        return subprocess.run(command, env=self._env, capture_output=True, text=True, check=True).stdout

    def settle(self) -> None:
        """Wait until what was declared is on disk: a broker that is killed may forget what is younger."""
        self.ctl("eval", "mnesia:sync_log(), [ok = dets:sync(Table) || Table <- dets:all()].")

    def stop(self) -> None:
        """Kill it and all it started; what was written stays for the next start."""
        for process in reversed(self._processes):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._processes.clear()


@contextmanager
def running_rabbit() -> Iterator[Rabbit]:
    """Run a RabbitMQ; the test is skipped where none is installed."""
    if not (HOME / "rabbitmq-server").exists():
        pytest.skip("No RabbitMQ here: apt-get install rabbitmq-server")
    folder = Path(tempfile.mkdtemp(prefix="flashsale-rabbit-"))
    rabbit = Rabbit(folder)
    try:
        rabbit.start()
        yield rabbit
    finally:
        rabbit.stop()
        shutil.rmtree(folder, ignore_errors=True)
