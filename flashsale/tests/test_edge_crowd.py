"""100,000 shoppers for 100 units at three real nodes: what reaches the gate is what the lots let through."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from bench import load
from flashsale import crowd, scheduling, shedding, stock
from flashsale.models import Sale, SaleItem
from flashsale.tests.browsing import running_site
from flashsale.tests.conftest import MakeSale, units
from flashsale.tests.edges import KEY, attempts_seen, eventually, needs_nginx, running_edge, server
from flashsale.tests.gates import running_gate
from flashsale.tests.lots import NAMES, beating, known_chance, lot, number_waiting
from shop.edge.__main__ import nginx
from shop.up.ports import LOOPBACK, answers, free_port

needs_wrk = pytest.mark.skipif(not shutil.which("wrk"), reason="wrk is missing: apt-get install wrk")
pytestmark = [needs_nginx, needs_wrk, pytest.mark.django_db(transaction=True), pytest.mark.cluster]
CROWD, UNITS = 100_000, 100
FIRST = 1_000_001
"""The number of the first shopper: a gate asks no table who they are, and nothing is recorded here."""
LIVE = """
daemon off; pid {folder}/live.pid; error_log stderr; worker_processes 1;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen {address}; location / {{ return 200 '{{"outcome": "listens"}}'; }} }}
}}
"""


@contextmanager
def listened_to(folder: Path) -> Iterator[str]:
    """Run what lets 100,000 listen for a moment. (Streams that last are the subject of `make bench`.)"""
    port = free_port()
    (folder / "live.conf").write_text(LIVE.format(folder=folder, address=f"{LOOPBACK}:{port}"))
    folder.chmod(0o755)
    command = [nginx(), "-p", f"{folder}/", "-c", str(folder / "live.conf"), "-e", "stderr"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            eventually(lambda: answers(port))
            yield f"{LOOPBACK}:{port}"
        finally:
            process.terminate()


@pytest.fixture
def roles(tmp_path: Path, django_db_setup: None) -> Iterator[tuple[str, list[str]]]:
    """A gate behind three nodes; the address of the gate and those of the nodes."""
    with ExitStack() as roles:
        gate = roles.enter_context(running_gate())
        centre = roles.enter_context(running_site(EDGE_KEY=KEY))
        options = {
            "EDGE_LIVE": roles.enter_context(listened_to(tmp_path)),
            "EDGE_SHEDDING": "1",
            "EDGE_WORKERS": "1",
            "EDGE_NETWORK_RATE": "1000000",
            "EDGE_NETWORK_BURST": "1000000",
            "EDGE_KEEPALIVE_REQUESTS": "1000000",
            "DJANGO_DEBUG": str(int(settings.PASS_COOKIE == "pass")),
        }
        edges = [running_edge(gate=gate, web=centre, EDGE_NAME=name, **options) for name in NAMES]
        yield gate, [server(roles.enter_context(edge)) for edge in edges]


def all_ask(nodes: list[str], path: str, passes: list[Path]) -> Counter[str]:
    """Let everybody of the crowd send one request at his node; count the answers by status and outcome."""

    def ask(node: str, files: Path) -> Counter[str]:
        told = load.attempts(
            node, path, files, connections=50, threads=1, constant_path="/edge/healthz", at_most=100
        )
        assert told.errors == 0
        return told.answers

    with ThreadPoolExecutor(len(nodes)) as pool:
        return sum(pool.map(ask, nodes, passes), Counter())


def write_passes(folder: Path, item: SaleItem) -> list[Path]:
    """Deal the crowd out to the nodes; return a file of passes for each."""
    files = [folder / name for name in NAMES]
    for at, path in enumerate(files):
        mine = range(FIRST + at, FIRST + CROWD, len(NAMES))
        load.write_passes(path, list(crowd.issue_passes(item.sale, mine)), threads=1)
    return files


def open_now(item: SaleItem) -> None:
    """Let a coming sale open in a second, and wait until it has."""
    opens_at = timezone.now() + timedelta(seconds=1)
    Sale.objects.filter(pk=item.sale_id).update(opens_at=opens_at)
    scheduling.warm(sale_id=item.sale_id)
    eventually(lambda: timezone.now() > opens_at + timedelta(seconds=0.5))


def test_of_a_hundred_thousand_for_a_hundred_units_the_gate_hears_the_lucky(
    roles: tuple[str, list[str]], make_sale: MakeSale, tmp_path: Path
) -> None:
    gate, nodes = roles
    item = make_sale(quantity=UNITS, opens_at=timezone.now() + timedelta(minutes=9))
    passes = write_passes(tmp_path, item)
    chances = partial(known_chance, item)
    with beating():
        listening = all_ask(nodes, f"/gate/sales/{item.sale_id}/events", passes)
        assert listening == {"200 listens": CROWD}
        eventually(lambda: number_waiting(item) == CROWD)
        eventually(lambda: chances() == pytest.approx(shedding.chance(UNITS, CROWD // 2)))
        open_now(item)
        before = attempts_seen(gate)
        told = all_ask(nodes, f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt", passes)
        highest = chances()
    reached = attempts_seen(gate) - before
    assert told == {"201 reserved": UNITS, "409 sold_out": CROWD - UNITS}
    assert units(item)[0] == 0  # nothing is left over
    # Whoever reached the gate had a lot below the chance, which grows while units are left: some hundreds.
    lucky = {user for user in range(FIRST, FIRST + CROWD) if lot(item, user) < highest}
    assert UNITS <= reached <= len(lucky)
    assert set(stock.run(stock.members(item.sale_id, item.pk)).holders) <= lucky
    assert len(lucky) == pytest.approx(highest * CROWD, rel=0.3)
    assert highest < 0.05  # a factor of twenty at least, however slow this machine is
