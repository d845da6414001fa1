"""The edge: what it refuses by itself, what passing through it costs, and one gate or two behind it."""

import getpass
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from django.conf import settings

from bench import limits, load
from bench.stage import Stage, attempt_path, settled
from flashsale import crowd, stock
from flashsale.models import SaleItem
from shop.edge.__main__ import write
from shop.up.messages import Trouble, say, stopped
from shop.up.ports import LOOPBACK, answers, free_port

NOTICED = 5.0
TIMES = 3
OUT_OF_THE_WAY = "100000000"
ENVIRONMENT = {
    "EDGE_KEY": "the-key-of-the-edge-in-the-benchmark",
    "EDGE_WORKERS": "2",
    "EDGE_USER": getpass.getuser() if os.geteuid() == 0 else "",
    "EDGE_CONNECTIONS": "2048",
    "EDGE_KEEPALIVE_REQUESTS": OUT_OF_THE_WAY,
    "EDGE_NETWORK_RATE": "1000000",
    "EDGE_NETWORK_BURST": "1000000",
}


def measure(stage: Stage) -> None:
    """`edge_limit_rps`, `edge_refused_rps`, `edge_direct_rps`, `edge_gates_1_rps`, `edge_gates_2_rps`."""
    gates = [stage.role("gate"), stage.role("gate2", like="gate")]
    try:
        with _edge(stage, gates[:1]) as edge:
            if edge is None:
                return
            _limit(stage)
            _refused(stage, edge)
            for _ in range(TIMES):  # by turns, for this section runs once
                stage.figures.add("edge_direct_rps", _decisions(stage, gates[0]))
                stage.figures.add("edge_gates_1_rps", _decisions(stage, edge))
        with _edge(stage, gates) as edge:
            if edge is not None:
                stage.figures.add("edge_gates_2_rps", _decisions(stage, edge))
    finally:
        stage.stop("gate2")


@contextmanager
def _edge(stage: Stage, gates: Sequence[str]) -> Iterator[str | None]:
    """Run a node in front of these gates; None, said visibly, where there is no nginx with Lua."""
    folder, port = stage.folder / "edge", free_port()
    listen = f"{LOOPBACK}:{port}"
    values = ENVIRONMENT | {"EDGE_LISTEN": listen, "EDGE_GATE": ",".join(gates), "EDGE_WEB": gates[0]}
    try:
        command = write(folder, values | {"EDGE_HOST": LOOPBACK})
    except Trouble as trouble:
        say(f"    edge_* skipped: {trouble}")
        yield None
        return
    log = stage.folder / "logs/edge.log"
    with log.open("ab") as output, subprocess.Popen(command, stderr=output) as server:
        try:
            while not answers(port):
                if server.poll() is not None:
                    raise stopped("The edge", log)
                time.sleep(0.02)
            yield listen
        finally:
            server.terminate()


def _limit(stage: Stage) -> None:
    """nginx with nothing to decide; wrk builds and checks as much as it does for an attempt."""
    files = stage.passes(stage.new_sale(units=1), stage.shoppers(limits.USERS))
    with limits.constant_nginx(stage) as address:
        if address is not None:
            stage.figures.add("edge_limit_rps", limits.constant(stage, address, "/", files))


def _refused(stage: Stage, edge: str) -> None:
    """Distinct shoppers at a sale whose end the edge knows: no attempt reaches the gate."""
    number = stage.sizes.refusals
    winner, *losers = stage.shoppers(number + 1)
    item = stage.new_sale(units=1)
    first = stock.attempt(item.sale_id, [(item.pk, winner)], per_minute=settings.ATTEMPTS_PER_MINUTE)
    stage.expect(stock.run(first).answers[0].first, "the only unit was not to be had")
    _wait_for_the_flag(stage, edge, item, losers[0])
    told = _attempts(stage, edge, item, losers)
    stage.expect(told.answers == {"409 sold_out": number}, f"not all of {number} refused: {told.answers}")
    stage.figures.add("edge_refused_rps", told.rps)


def _wait_for_the_flag(stage: Stage, edge: str, item: SaleItem, loser: int) -> None:
    """Ask until the edge itself refuses: its answer names the server it comes from in no other header."""
    (token,) = crowd.issue_passes(item.sale, [loser])
    headers = {"Authorization": f"Bearer {token}"}
    deadline, quiet = time.monotonic() + NOTICED, 0.6  # two looks of the edge, and some
    while time.monotonic() < deadline:
        connection = HTTPConnection(edge, timeout=5)
        connection.request("POST", attempt_path(item), headers=headers)
        status = connection.getresponse().status
        connection.close()
        if status == 409:
            time.sleep(quiet)
            return
        time.sleep(0.1)
    stage.expect(False, "the edge was not told that a sale has sold out")


def _decisions(stage: Stage, address: str) -> float:
    """Distinct shoppers, stock for all: every answer is a reservation on disk."""
    number = stage.sizes.wins // 2
    item = stage.new_sale(units=number)
    told = _attempts(stage, address, item, stage.shoppers(number))
    stage.expect(told.answers == {"201 reserved": number}, f"not all of {number} won: {told.answers}")
    stage.expect(settled(item).held == number, f"the store holds {settled(item).held} of {number} units")
    return told.rps


def _attempts(stage: Stage, address: str, item: SaleItem, users: Sequence[int]) -> load.Told:
    files = stage.passes(item, users)
    told = load.attempts(
        address,
        attempt_path(item),
        files,
        connections=stage.sizes.connections,
        threads=stage.sizes.threads,
    )
    stage.expect_all_answered(told, len(users))
    for number in range(stage.sizes.threads):
        Path(f"{files}.{number + 1}").unlink()
    return told
