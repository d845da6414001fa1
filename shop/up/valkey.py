"""Our own Valkeys: the sale's memory (on disk before every answer) and a cache that may forget."""

import os
import time
from contextlib import suppress
from pathlib import Path

import redis

from . import places
from .messages import Trouble, stopped
from .ports import LOOPBACK, free_port
from .processes import Process
from .state import secret, write_private

READY_SECONDS = 60.0  # a long append-only file takes a while to load

# "Reserved" must survive kill -9 and a power cut, also while the file is being rewritten; a full memory
# refuses writes instead of forgetting units.
SALE = [
    "appendonly yes",
    "appendfsync always",
    "no-appendfsync-on-rewrite no",
    "maxmemory-policy noeviction",
]
CACHE = ["appendonly no", "maxmemory 128mb", "maxmemory-policy allkeys-lru"]


def start_sale(folder: Path, logs: Path) -> tuple[Process, str]:
    """Start the sale's memory (and Celery's broker) on a free port; return it with its URL."""
    return _start("valkey", SALE, folder, logs)


def start_cache(folder: Path, logs: Path) -> tuple[Process, str]:
    """Start the cache on a free port; return it with its URL."""
    return _start("cache", CACHE, folder, logs)


def _start(name: str, settings: list[str], folder: Path, logs: Path) -> tuple[Process, str]:
    home = folder / name
    home.mkdir(mode=0o700, exist_ok=True)
    password = secret(folder, "valkey-password")
    port = free_port()
    lines = [
        f"port {port}",
        f"bind {LOOPBACK}",
        f'dir "{home}"',
        'save ""',
        f"requirepass {password}",
        *settings,
    ]
    # The password stands in a private file, not in the list of processes that everybody can read.
    write_private(home / "valkey.conf", "\n".join(lines) + "\n")
    process = Process(
        name=name,
        command=[str(places.valkey()), str(home / "valkey.conf")],
        log=logs / f"{name}.log",
        env={"PATH": os.environ.get("PATH", os.defpath)},
        cwd=home,
        stop_seconds=1.5,
    )
    process.start()
    url = f"redis://:{password}@{LOOPBACK}:{port}/0"
    try:
        wait_until_ready(process, url)
    except BaseException:
        process.stop(process.stop_seconds)
        raise
    return process, url


def wait_until_ready(process: Process, url: str) -> None:
    """Wait until it answers; raise the sentence when it stops or stays silent."""
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=1)
    deadline = time.monotonic() + READY_SECONDS
    try:
        while time.monotonic() < deadline:
            if not process.alive():
                raise stopped(process.name, process.log)
            with suppress(redis.RedisError):
                client.ping()
                return
            time.sleep(0.03)
    finally:
        client.close()
    raise Trouble(f"{process.name} did not answer within {READY_SECONDS:.0f} s: see {process.log}.")
