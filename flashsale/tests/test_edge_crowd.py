"""A crowd of 100,000 for 100 units at three nodes: what reaches the gate shrinks by the factor it should."""

import time
from collections import Counter
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from bench import load
from flashsale import shedding
from flashsale.passes import Signer
from flashsale.shedding import chance
from flashsale.tests.browsing import running_site
from flashsale.tests.conftest import MakeSale, units
from flashsale.tests.edges import KEY, attempts_seen, eventually, needs_nginx, running_edge, server
from flashsale.tests.gates import ask, running_gate
from flashsale.tests.test_edge_shedding import NAMES, beating, known_chance, number_waiting
from shop.up.messages import Trouble

pytestmark = [needs_nginx, pytest.mark.cluster, pytest.mark.django_db(transaction=True)]
CROWD, UNITS = 99_999, 100
WIDE = {"EDGE_NETWORK_RATE": "1000000", "EDGE_NETWORK_BURST": "1000000", "EDGE_SHEDDING": "1"}


def write_passes(folder: Path, sale: int) -> list[Path]:
    """Write a third of the passes for each node; the gate asks nobody whether these shoppers exist."""
    signer, until = Signer(settings.PASS_KEYS), int(time.time()) + 3600
    passes = [signer.issue(sale=sale, user=user, expires_at=until) for user in range(1, CROWD + 1)]
    files = [folder / name for name in NAMES]
    for number, path in enumerate(files):
        load.write_passes(path, passes[number :: len(NAMES)], threads=1)
    return files


def test_the_gate_hears_one_in_three_hundred_and_every_unit_is_sold(
    django_db_setup: None, make_sale: MakeSale, tmp_path: Path
) -> None:
    try:
        load.require_wrk()
    except Trouble as trouble:
        pytest.skip(str(trouble))
    opens_at = timezone.now() + timedelta(seconds=75)
    item = make_sale(quantity=UNITS, opens_at=opens_at)
    files = write_passes(tmp_path, item.sale_id)
    sale, said = f"/gate/sales/{item.sale_id}", Counter[str]()
    with ExitStack() as roles:
        gate = roles.enter_context(running_gate())
        centre = roles.enter_context(running_site(EDGE_KEY=KEY))
        nodes = [
            roles.enter_context(running_edge(gate=gate, web=centre, EDGE_NAME=name, **WIDE)) for name in NAMES
        ]
        for node, path in zip(nodes, files, strict=True):
            ask(node, "GET", sale)
            load.attempts(server(node), f"{sale}/events", path, connections=64, threads=1)
        assert timezone.now() < opens_at, "This machine is too slow: the crowd came after the opening."
        with beating():
            eventually(lambda: number_waiting(item) == CROWD, within=10)
            eventually(lambda: known_chance(item) < 1, within=10)
            assert known_chance(item) == pytest.approx(chance(UNITS, CROWD // 2), rel=0.01)
            time.sleep(max(0, (opens_at - timezone.now()).total_seconds()) + 0.3)
            before = attempts_seen(gate)
            for node, path in zip(nodes, files, strict=True):
                said += load.attempts(
                    server(node), f"{sale}/items/{item.pk}/attempt", path, connections=64, threads=1
                ).answers
            highest = known_chance(item)
        reached = attempts_seen(gate) - before
    assert said.total() == CROWD
    assert said["201 reserved"] == UNITS == units(item)[1]
    assert units(item)[0] == 0
    expected = CROWD * max(highest, chance(UNITS, CROWD // 2))
    assert UNITS <= reached <= expected + 5 * expected**0.5
    assert reached < CROWD / 100
    assert shedding.RISK == 1e-6
