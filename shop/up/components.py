"""The shop's own processes: web (with the gate behind the same port), worker, beat."""

import http.client
import os
import sys
import time
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from http import HTTPStatus
from pathlib import Path

from celery import Celery
from kombu.exceptions import OperationalError

from .messages import Trouble, stopped
from .ports import LOOPBACK
from .processes import Process, rotate
from .state import ROOT, secret

READY_SECONDS = 90.0
READY_PATHS = ("/readyz", "/gate/clock")
PUBLISHED = (
    "DATABASE_URL",
    "REDIS_URL",
    "CACHE_URL",
    "CELERY_BROKER_URL",
    "SECRET_KEY",
    "DJANGO_DEBUG",
    "PORT",
)

# One worker, because a killed worker ends the whole server and we start it again; HTTP/1 only, because
# the other way silent connections are never closed; small heads, read within five seconds.
GRANIAN = ["--interface", "asginl", "--http", "1", "--no-ws", "--loop", "uvloop", "--workers", "1"]
GRANIAN += [
    "--http1-header-read-timeout",
    "5000",
    "--http1-buffer-size",
    "8192",
    "--workers-kill-timeout",
    "2",
]
GRANIAN += ["--backlog", "8192", "--backpressure", "8192"]


def environment(folder: Path, port: int, urls: dict[str, str]) -> dict[str, str]:
    """Return the environment of every Django process of this run."""
    chosen = {"PORT": str(port), "DATA_DIR": str(folder), **urls}
    defaults = {"DJANGO_DEBUG": "1", "SECRET_KEY": secret(folder, "secret-key")}
    given = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    if os.geteuid() == 0:
        defaults["C_FORCE_ROOT"] = "1"  # Celery asks root to say that it is meant
    return {**defaults, **given, **chosen, "DJANGO_SETTINGS_MODULE": "shop.settings", "PYTHONUNBUFFERED": "1"}


def published(env: dict[str, str]) -> dict[str, str]:
    """Return what `manage.py` in a second terminal needs of this environment."""
    return {name: env[name] for name in PUBLISHED}


def components(folder: Path, port: int, env: dict[str, str]) -> list[Process]:
    """Return the processes of the shop in the order they are started."""
    celery = [sys.executable, "-m", "celery", "-A", "shop"]
    queues = ["-Q", "orders,deadlines,celery,mail", "--pool", "threads", "--concurrency", "4"]
    quiet = ["--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    schedule = ["-s", str(folder / "beat-schedule"), "--pidfile=", "--loglevel", "INFO"]
    granian = [sys.executable, "-m", "granian", *GRANIAN, "--host", LOOPBACK, "--port", str(port)]
    commands = {
        "worker": ([*celery, "worker", *queues, *quiet], 2.5),
        "beat": ([*celery, "beat", *schedule], 0.5),
        "web": ([*granian, "flashsale.gate.development:application"], 2.5),
    }
    made = []
    for name, (command, seconds) in commands.items():
        log = folder / "logs" / f"{name}.log"
        rotate(log)
        made.append(Process(name=name, command=command, log=log, env=env, cwd=ROOT, stop_seconds=seconds))
    return made


def wait_until_ready(processes: list[Process], port: int, env: dict[str, str]) -> None:
    """Wait until web, gate and worker answer; raise the sentence when one stops or stays silent."""
    probes: dict[str, Callable[[], bool]] = {path: partial(_answers, port, path) for path in READY_PATHS}
    probes["the worker"] = partial(_worker_answers, env["CELERY_BROKER_URL"])
    deadline = time.monotonic() + READY_SECONDS
    while probes:
        for process in processes:
            if not process.alive():
                raise stopped(process.name, process.log)
        if time.monotonic() > deadline:
            logs = processes[0].log.parent
            raise Trouble(f"No answer from {', '.join(probes)} within {READY_SECONDS:.0f} s: see {logs}.")
        probes = {name: answers for name, answers in probes.items() if not answers()}
        time.sleep(0.1)


def _worker_answers(broker_url: str) -> bool:
    with Celery(broker=broker_url) as app, suppress(OSError, OperationalError):
        return bool(app.control.ping(timeout=0.3))
    return False


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=3)
    with closing(connection), suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        with connection.getresponse() as response:
            return response.status == HTTPStatus.OK
    return False
