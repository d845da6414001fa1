"""Real edge nodes for the tests: nginx with the shop's own configuration in front of real roles."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path

import pytest

from flashsale.tests.gates import ask
from shop.edge.__main__ import MODULES, write
from shop.up.ports import free_port

STARTED_WITHIN = 15.0
KEY = "0123456789abcdef0123456789abcdef"
HAS_NGINX = bool(shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin"))
needs_nginx = pytest.mark.skipif(
    not (HAS_NGINX and (MODULES / "ngx_http_lua_module.so").exists()),
    reason="nginx with Lua is missing: apt-get install nginx libnginx-mod-http-lua",
)


def server(address: str) -> str:
    """Return host and port of an address."""
    return address.removeprefix("http://")


@contextmanager
def running_edge(*, gate: str, web: str = "", **environment: str) -> Iterator[str]:
    """Run a node in front of roles; yield its address. In the end nothing of it may have failed in Lua."""
    folder, port = Path(tempfile.mkdtemp(prefix="flashsale-edge-")), free_port()
    folder.chmod(0o755)
    usual = {
        "DJANGO_DEBUG": "1",
        "EDGE_KEY": KEY,
        "EDGE_LISTEN": f"127.0.0.1:{port}",
        "EDGE_GATE": server(gate),
        "EDGE_WEB": server(web or gate),
        "EDGE_WORKERS": "2",
        "EDGE_CONNECTIONS": "2048",
        "EDGE_NETWORK_RATE": "5000",
        "EDGE_NETWORK_BURST": "5000",
    }
    log = folder / "edge.log"
    with log.open("wb") as output:
        process = subprocess.Popen(write(folder, usual | environment), stderr=output)
    try:
        _wait(f"http://127.0.0.1:{port}", process, log)
        yield f"http://127.0.0.1:{port}"
        faults = [line for line in log.read_text().splitlines() if "lua" in line and "[error]" in line]
        assert not faults, faults[:5]
    finally:
        process.terminate()
        process.wait(timeout=15)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(edge: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        try:
            ask(edge, "GET", "/edge/healthz")
        except (OSError, HTTPException):
            time.sleep(0.05)
        else:
            return
    raise AssertionError("The edge did not start:\n" + log.read_text())


def eventually(holds: object, *, within: float = 5.0) -> None:
    """Wait until a function returns something true; AssertionError where it never does."""
    assert callable(holds)
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "It did not come true."
        time.sleep(0.05)


def attempts_seen(gate: str) -> int:
    """How many attempts have reached the gate."""
    text = ask(gate, "GET", "/gate/metrics")[2].decode()
    lines = [line for line in text.splitlines() if line.startswith("flashsale_attempts_total{")]
    return sum(int(float(line.rpartition(" ")[2])) for line in lines)
