"""Real gate and live processes for the tests."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from accounts.models import User
from flashsale.models import SaleItem
from flashsale.passes import Signer
from shop.up.ports import free_port

STARTED_WITHIN = 30.0
Told = tuple[int, dict[str, Any], dict[str, str]]


@contextmanager
def running_gate(*, says: Path | None = None, **environment: str) -> Iterator[str]:
    """Run a gate on a free port; yield its address. What it logs goes to the file `says`, if there is one."""
    with _running("gate", "/gate/healthz", free_port(), says, environment) as address:
        yield address


@contextmanager
def running_live(*, says: Path | None = None, port: int = 0, **environment: str) -> Iterator[str]:
    """Run a live process on this or a free port; yield its address."""
    with _running("live", "/gate/live/healthz", port or free_port(), says, environment) as address:
        yield address


@contextmanager
def _running(
    role: str, path: str, port: int, says: Path | None, environment: dict[str, str]
) -> Iterator[str]:
    log = says.open("wb") if says else None
    process = subprocess.Popen(_command(role, port), env=os.environ | environment, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}", path)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=15)
        if log is not None:
            log.close()


def _command(role: str, port: int) -> list[str]:
    """A role as the Procfile starts it, on a port of our own."""
    lines = (settings.BASE_DIR / "Procfile").read_text().splitlines()
    (words,) = (line.split()[1:] for line in lines if line.startswith(f"{role}:"))
    words[words.index("--host") + 1] = "127.0.0.1"
    words[words.index("--port") + 1] = str(port)
    return [sys.executable, "-m", *words, "--log-level", "warning"]


def _wait(address: str, path: str) -> None:
    deadline = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < deadline:
        try:
            ask(address, "GET", path)
            break
        except (OSError, HTTPException):
            time.sleep(0.1)
    else:
        raise TimeoutError("The process did not start.")


def ask(
    gate: str, method: str, path: str, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Send one request; return status, headers in lower case, and body."""
    connection = HTTPConnection(urlsplit(gate).netloc, timeout=10)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    finally:
        connection.close()


def bearer(token: str) -> dict[str, Any]:
    """Return the header that carries a pass."""
    return {"Authorization": f"Bearer {token}"}


def a_pass(item: SaleItem, user: User, *, expires_in: int = 600, keys: list[str] | None = None) -> str:
    """Return a pass for this shopper and sale."""
    signer = Signer(keys or settings.PASS_KEYS)
    return signer.issue(sale=item.sale_id, user=user.pk, expires_at=int(time.time()) + expires_in)


def attempt_at(gate: str, item: SaleItem, headers: dict[str, str]) -> Told:
    """Attempt once; return status, told outcome and headers."""
    status, answer_headers, body = ask(
        gate, "POST", f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt", headers
    )
    return status, json.loads(body), answer_headers
