"""A pair of stores that fails over, and what is done when the second one knew less than the first."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django import Settings

from flashsale import draining, reconcile, stock
from flashsale.models import Sale
from flashsale.tests.clusters import Pair, running_pair, until
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, is_clean
from flashsale.tests.gates import a_pass, attempt_at, bearer, running_gate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.cluster]


@pytest.fixture
def pair(tmp_path: Path, settings: Settings) -> Iterator[Pair]:
    """A pair of this test's own, which the sale lives in."""
    with running_pair(tmp_path) as pair:
        settings.CACHES = settings.CACHES | {"sale": settings.CACHES["sale"] | {"LOCATION": [pair.url]}}
        yield pair


def gate_of(pair: Pair, replicas: int = 0) -> AbstractContextManager[str]:
    urls = {"REDIS_URL": pair.url, "CELERY_BROKER_URL": settings.CELERY_BROKER_URL}
    return running_gate(**urls, STORE_REPLICAS=str(replicas))


def test_shoppers_keep_what_they_have_when_the_primary_dies(
    pair: Pair, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=2), shoppers(2)
    with gate_of(pair, replicas=1) as gate:
        told = attempt_at(gate, item, bearer(a_pass(item, ann)))[1]
        assert told["outcome"] == "reserved"
        pair.fail_over()
        # Alone, the new primary promises nothing: the next one to die would take it along.
        assert attempt_at(gate, item, bearer(a_pass(item, ben)))[1]["outcome"] == "paused"
    with gate_of(pair) as gate:
        again = attempt_at(gate, item, bearer(a_pass(item, ann)))[1]
        assert again["reservation"] == told["reservation"]
        assert attempt_at(gate, item, bearer(a_pass(item, ben)))[1]["outcome"] == "reserved"
    draining.drain_once(sale_id=item.sale_id)
    assert is_clean(item)


def test_replica_that_knew_less_is_paused_rebuilt_and_reconciled(
    pair: Pair, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben, cid) = make_sale(quantity=2), shoppers(3)
    with gate_of(pair) as gate:
        assert attempt_at(gate, item, bearer(a_pass(item, ann)))[1]["outcome"] == "reserved"
        holders = stock.item_keys(item.sale_id, item.pk)[1]
        until(lambda: pair.replica.client.hlen(holders) == 1, "the replica has it")
        pair.cut()
        told = attempt_at(gate, item, bearer(a_pass(item, ben)))[1]
        draining.drain_once(sale_id=item.sale_id)
        pair.fail_over()
        # The replica believes that one unit is free; this gate knows that the store has known more.
        until(lambda: bool(reconcile.compare(sale_id=item.sale_id).items), "the store answers")
        assert attempt_at(gate, item, bearer(a_pass(item, cid)))[1]["outcome"] == "paused"
        assert not is_clean(item)
        assert reconcile.rebuild(sale_id=item.sale_id).is_clean
        until(
            lambda: attempt_at(gate, item, bearer(a_pass(item, cid)))[1]["outcome"] == "sold_out",
            "the gate goes on",
        )
        again = attempt_at(gate, item, bearer(a_pass(item, ben)))[1]
        assert again["reservation"] == told["reservation"]


def test_control_without_the_gates_memory_the_rows_refuse_the_unit_that_was_sold_twice(
    pair: Pair, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=1), shoppers(2)
    pair.cut()
    assert attempt(item, ann)[0].outcome == "reserved"
    draining.drain_once(sale_id=item.sale_id)
    pair.fail_over()
    until(lambda: attempt(item, ben)[0].outcome == "reserved", "the replica sells it again")
    draining.drain_once(sale_id=item.sale_id)
    statuses = set(item.reservations.values_list("user_id", "status"))
    assert statuses == {(ann.pk, "held"), (ben.pk, "displaced")}
    assert Sale.objects.get(pk=item.sale_id).paused


def test_with_replicas_asked_for_nobody_is_promised_what_the_replica_does_not_know(
    pair: Pair, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(quantity=1), shoppers(1)
    pair.cut()
    with gate_of(pair, replicas=1) as gate:
        assert attempt_at(gate, item, bearer(a_pass(item, ann)))[1]["outcome"] == "paused"
    with gate_of(pair) as gate:  # the control: without it he is told so, and it is lost with the primary
        assert attempt_at(gate, item, bearer(a_pass(item, ann)))[1]["outcome"] == "reserved"
