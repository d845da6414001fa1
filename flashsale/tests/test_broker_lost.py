"""A worker whose broker is away for a while goes on when it is back, whatever it was doing."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery
from django.conf import settings
from django.db import connection

from bench.roles import command_of
from flashsale.tests.conftest import MakeSale
from shop.broker import beside
from shop.up import valkey
from shop.up.ports import free_port
from shop.up.processes import Process

PATIENCE = 60.0
AWAY = 12.0
"""Seconds: longer than a drain lasts, so that it ends while there is nobody to acknowledge it to."""
CONTROL = """
import sys
import shop.celery
from kombu.transport import redis
redis.Transport.Channel = redis.Channel
from celery.__main__ import main
sys.argv = ["celery", *sys.argv[1:]]
main()
"""


@contextmanager
def working(log: Path, *, guarded: bool) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker as the Procfile has it; without its guard kombu's own channel is put back in its process."""
    command = command_of("worker", port=free_port(), folder=log.parent)
    if not guarded:
        command = [sys.executable, "-c", CONTROL, *command[3:]]
    database = settings.DATABASE_URL.rsplit("/", 1)[0] + "/" + str(connection.settings_dict["NAME"])
    env = os.environ | {"DATABASE_URL": database}
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def says(log: Path, text: str, *, since: int = 0) -> bool:
    """Wait until the log says it; False if it never does."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if text.encode() in log.read_bytes()[since:]:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("guarded", [True, False], ids=["with the guard", "without"])
def test_a_worker_outlives_its_broker(
    make_sale: MakeSale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guarded: bool
) -> None:
    make_sale()  # so that there is a stream to drain
    broker, url = valkey.start_sale(tmp_path, tmp_path)
    monkeypatch.setenv("CELERY_BROKER_URL", beside(url))  # which Celery believes before anything else
    log, sender = tmp_path / "worker.log", Celery()
    try:
        with working(log, guarded=guarded) as worker:
            assert says(log, " ready."), log.read_text()
            sender.send_task("flashsale.tasks.drain_reservations", queue="orders")
            assert says(log, "drain_reservations[")  # it goes on for ten seconds
            lost = log.stat().st_size
            broker.sweep()
            time.sleep(AWAY)
            _start_again(broker, url)
            if not guarded:
                assert worker.wait(PATIENCE) != 0
                return
            assert says(log, "Connected to", since=lost), log.read_text()
            sender.send_task("shop.tasks.sing", args=["mail"], queue="mail")
            assert says(log, "shop.tasks.sing", since=lost), log.read_text()
            assert worker.poll() is None
    finally:
        broker.stop(2)


def _start_again(broker: Process, url: str) -> None:
    broker.stop(2)
    broker.start()
    valkey.wait_until_ready(broker, url)
