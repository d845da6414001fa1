"""What shoppers are told while the store is away, and that nothing they were told is lost."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from flashsale import scheduling, stock
from flashsale.passes import Signer
from flashsale.tests.conftest import MakeSale
from flashsale.tests.gates import attempt_at, bearer, running_gate
from shop import store as memory
from shop.up import valkey
from shop.up.processes import Process

Store = tuple[Process, str]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store of this test's own, to be killed; yields its process and address."""
    process, url = valkey.start_sale(tmp_path, tmp_path)
    yield process, url
    process.stop(2)


def load(url: str, document: dict[str, Any]) -> str:
    async def go() -> str:
        client = memory.connect_async(url)
        try:
            return await stock.run_async(client, stock.load(document["id"], document))
        finally:
            await client.aclose()

    return asyncio.run(go())


def test_kill9_of_the_store_keeps_acknowledged(make_sale: MakeSale, store: Store) -> None:
    item, (process, url) = make_sale(quantity=2), store
    load(url, scheduling.document(item.sale))
    signer, until = Signer(settings.PASS_KEYS), int(time.time()) + 600
    ann, ben = (bearer(signer.issue(sale=item.sale_id, user=user, expires_at=until)) for user in (1, 2))
    with running_gate(REDIS_URL=url) as gate:
        told = attempt_at(gate, item, ann)[1]
        os.kill(process.pid(), signal.SIGKILL)
        status, away, headers = attempt_at(gate, item, ben)
        assert (status, away["outcome"], headers["retry-after"]) == (503, "paused", "2")
        process.stop(2)  # it is dead: this only takes note of it
        process.start()
        valkey.wait_until_ready(process, url)
        again = attempt_at(gate, item, ann)
        assert (again[0], again[1]["reservation"], again[1]["pay_by"]) == (
            200,
            told["reservation"],
            told["pay_by"],
        )
        assert attempt_at(gate, item, ben)[0] == 201


def test_a_frozen_store_keeps_nobody_waiting_for_ever(make_sale: MakeSale, store: Store) -> None:
    item, (process, url) = make_sale(), store
    load(url, scheduling.document(item.sale))
    signer = Signer(settings.PASS_KEYS)
    ann = bearer(signer.issue(sale=item.sale_id, user=1, expires_at=int(time.time()) + 600))
    with running_gate(REDIS_URL=url) as gate:
        assert attempt_at(gate, item, ann)[0] == 201
        os.kill(process.pid(), signal.SIGSTOP)
        try:
            assert attempt_at(gate, item, ann)[1]["outcome"] == "paused"
        finally:
            os.kill(process.pid(), signal.SIGCONT)
        time.sleep(0.2)
        assert attempt_at(gate, item, ann)[0] == 200


def test_control_a_store_that_keeps_nothing_forgets_what_was_told(make_sale: MakeSale, store: Store) -> None:
    """Why `REQUIRE_DURABLE_STORE` is on: without the file one kill makes an answer untrue."""
    item, (process, url) = make_sale(quantity=2), store
    process.stop(2)
    process.command += ["--appendonly", "no"]
    process.start()
    valkey.wait_until_ready(process, url)
    load(url, scheduling.document(item.sale))
    signer = Signer(settings.PASS_KEYS)
    ann = bearer(signer.issue(sale=item.sale_id, user=1, expires_at=int(time.time()) + 600))
    with running_gate(REDIS_URL=url, REQUIRE_DURABLE_STORE="0") as gate:
        assert attempt_at(gate, item, ann)[0] == 201
        os.kill(process.pid(), signal.SIGKILL)
        process.stop(2)
        process.start()
        valkey.wait_until_ready(process, url)
        assert attempt_at(gate, item, ann)[1]["outcome"] == "paused"
