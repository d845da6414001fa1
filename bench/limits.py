"""The limits of this machine: the server, the store and nginx with nothing to decide."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import load, storeload
from bench.stage import Stage, per_minute
from flashsale import stock
from shop.up.messages import say
from shop.up.ports import LOOPBACK, answers, free_port

BATCH = 512
USERS = 1000
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/logs/nginx.log; worker_processes 2;
events {{ worker_connections 2048; }}
http {{
  access_log off; keepalive_requests 100000000;
  client_body_temp_path {folder}/nginx; proxy_temp_path {folder}/nginx; fastcgi_temp_path {folder}/nginx;
  uwsgi_temp_path {folder}/nginx; scgi_temp_path {folder}/nginx;
  server {{ listen 127.0.0.1:{port}; location / {{ return 200 "{{}}"; }} }}
}}
"""


def measure(stage: Stage) -> None:
    """`limit_rps`, `limit_checked_rps`, `nginx_rps`, `store_rps`, `store_batched_rps`."""
    gate, users = stage.role("gate"), stage.shoppers(USERS)
    measure_limit(stage)
    files = stage.passes(stage.new_sale(units=1), users)
    stage.figures.add("limit_checked_rps", constant(stage, gate, "/gate/healthz", files))
    _nginx(stage)
    _store(stage)


def measure_limit(stage: Stage) -> None:
    """`limit_rps` again: what is held against it asks for it, so that both meet one mood of the machine."""
    stage.figures.add("limit_rps", constant(stage, stage.role("gate"), "/gate/healthz"))


def constant(stage: Stage, address: str, path: str, files: Path | None = None) -> float:
    """Return the constant answers a second; with `files` each costs wrk what an attempt does."""
    told = load.constant(
        address,
        path,
        files=files,
        seconds=stage.sizes.constant_seconds,
        connections=stage.sizes.connections,
        threads=stage.sizes.threads,
    )
    stage.expect(told.errors == 0, f"{told.errors} constant answers were none")
    return told.rps


def _nginx(stage: Stage) -> None:
    with constant_nginx(stage) as address:
        if address is None:
            say("    nginx_rps skipped: there is no nginx here (`apt-get install nginx-light`)")
        else:
            stage.figures.add("nginx_rps", constant(stage, address, "/"))


@contextmanager
def constant_nginx(stage: Stage) -> Iterator[str | None]:
    """Run an nginx that answers a constant; yield its address, None where there is no nginx."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        yield None
        return
    port, log = free_port(), str(stage.folder / "logs/nginx.log")
    config = stage.folder / "nginx.conf"
    config.write_text(NGINX.format(folder=stage.folder, port=port))
    (stage.folder / "nginx").mkdir(exist_ok=True)
    command = [program, "-c", str(config), "-p", str(stage.folder), "-e", log]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as server:
        try:
            while not answers(port) and server.poll() is None:
                time.sleep(0.02)
            yield f"{LOOPBACK}:{port}"
        finally:
            server.terminate()


def _store(stage: Stage) -> None:
    """The function alone: one attempt a call with many calls on the wire, and full batches."""
    number = stage.sizes.store_calls
    for name, size in (("store_rps", 1), ("store_batched_rps", BATCH)):
        item = stage.new_sale(units=number)
        users = range(1, number + 1)
        calls = [
            stock.attempt(
                item.sale_id, [(item.pk, user) for user in users[at : at + size]], per_minute=per_minute()
            )
            for at in range(0, number, size)
        ]
        wire = [storeload.packed(call) for call in calls]
        seconds, share = storeload.drive(wire)
        status = stock.run(stock.status(item.sale_id, [item.pk]))
        held = status.items[item.pk].held if status else 0
        stage.expect(held == number, f"the store decided {held} of {number} attempts ({name})")
        stage.figures.add(name, number / seconds)
        stage.figures.add(f"{name}_driver_share", share)


def fsync_ms(folder: Path) -> float:
    """Return the median time (ms) of writing 4 KiB and having it on this folder's disk."""
    times = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(50):
            started = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started)
    return sorted(times)[len(times) // 2] * 1000
