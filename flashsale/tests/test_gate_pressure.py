"""More silent connections than a gate takes: memory stays bounded, and shoppers are served all the same.

A gate takes 8,192 connections and its system keeps some thousands more waiting. Here 19,000 press on it, from
one process; PRESSURE=5 presses with five of them, that is 95,000 sockets.
"""

import os
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Event
from urllib.parse import urlsplit

import pytest
from django.conf import settings

from accounts.models import User
from flashsale.models import SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.gates import a_pass, bearer, running_gate
from flashsale.tests.pressure import figures, pressing
from flashsale.tests.test_gate_bytes import MEGABYTE, memory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
PROCESSES, EACH = int(os.environ.get("PRESSURE", "1")), 19_000
TAKES = 8192
MORE_AT_MOST = 256 * MEGABYTE
"""32 KB for each connection that it takes."""
WITHIN = 60.0
MAY_BE_OPENED_AGAIN = TAKES


@pytest.fixture
def gate() -> Iterator[str]:
    with running_gate() as address:
        yield address


def attempt(line: HTTPConnection, item: SaleItem, user: User) -> int:
    path = f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt"
    line.request("POST", path, headers={**bearer(a_pass(item, user)), "Content-Length": "0"})
    answer = line.getresponse()
    answer.read()
    return answer.status


def ask(line: HTTPConnection) -> int:
    line.request("GET", "/gate/clock")
    answer = line.getresponse()
    answer.read()
    return answer.status


def regular(line: HTTPConnection, over: Event) -> set[int]:
    """Use a connection twice a second, as the edge does; return what was answered, last when it is over."""
    told = set()
    while not over.wait(0.5):
        told.add(ask(line))
    return told | {ask(line)}


def newcomer(port: int, item: SaleItem, user: User) -> tuple[int, float]:
    """Come as a page does, which asks again where no answer came; return the status and after how many s."""
    began = time.monotonic()
    while time.monotonic() - began < WITHIN:
        with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as line:
            try:
                return attempt(line, item, user), time.monotonic() - began
            except (OSError, HTTPException):
                continue
    return 0, time.monotonic() - began


def test_more_silent_connections_than_it_takes_keep_nobody_out(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben, eve) = make_sale(), shoppers(3)
    port = urlsplit(gate).port or 0
    before = memory(gate)
    with ThreadPoolExecutor(1) as pool, closing(HTTPConnection("127.0.0.1", port, timeout=20)) as kept:
        assert ask(kept) == 200, "it is there before the others come"
        over = Event()
        used = pool.submit(regular, kept, over)
        with pressing(port=port, processes=PROCESSES, each=EACH) as pressure:
            until, told = time.monotonic() + WITHIN, figures(pressure)
            while told["opened"] < 1.5 * TAKES and time.monotonic() < until:
                time.sleep(0.2)
                told = figures(pressure)
            over.set()
            assert used.result(timeout=20) == {200}, "a connection that is used is served all the time"
            assert attempt(kept, item, ann) == 201
            assert told["connected"] > TAKES, told
            status, seconds = newcomer(port, item, ben)
            grown, told = memory(gate) - before, figures(pressure)
            seen = f"{dict(told)}; grown by {grown / MEGABYTE:.0f} MB; the newcomer waited {seconds:.1f} s"
            Path(settings.BASE_DIR, ".data", f"pressure-{PROCESSES}.txt").write_text(seen)
            assert status == 201, seen
            assert told["held"] + MAY_BE_OPENED_AGAIN >= PROCESSES * EACH, seen
            assert told["closed"] > 0, "whoever says nothing is hung up on"
            assert grown < MORE_AT_MOST, seen
    assert newcomer(port, item, eve)[0] == 201


def test_the_limit_here_is_that_of_production() -> None:
    text = (settings.BASE_DIR / "Procfile").read_text()
    (line,) = re.findall(r"^gate: .*$", text, re.MULTILINE)
    assert f"--backpressure {TAKES} " in line
