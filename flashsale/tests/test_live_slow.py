"""A reader who does not read: dropped, and bounded until then; the others notice nothing."""

import json
import time
from collections.abc import Iterator

import pytest
from django_redis import get_redis_connection

from accounts.models import User
from flashsale import stock
from flashsale.models import SaleItem
from flashsale.results import Result
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.gates import ask, running_live
from flashsale.tests.streams import Stream, cookie, listening, path_of

pytestmark = pytest.mark.django_db(transaction=True)
LONG = "x" * 400_000


@pytest.fixture
def live() -> Iterator[str]:
    with running_live() as address:
        yield address


def flood(item: SaleItem, user: User, number: int) -> None:
    """Publish so many large results for one shopper."""
    for _ in range(number):
        row = Result(item.sale_id, user.pk, "ready", item.pk, rid=LONG)
        get_redis_connection("sale").publish(stock.RESULTS, json.dumps([row]))
        time.sleep(0.01)


def counted(live: str, name: str) -> int:
    lines = ask(live, "GET", "/gate/live/metrics")[2].decode().splitlines()
    return next((int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name)), 0)


def test_who_does_not_read_is_dropped_and_who_reads_is_not(
    live: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (slow, ann) = make_sale(), shoppers(2)
    stuck = Stream(live, path_of(item), cookie(item, slow))
    with listening(live, item, ann) as reader:
        stuck.wait("own")
        reader.wait("own")
        flood(item, slow, 40)
        flood(item, ann, 3)
        assert reader.wait("result", kind="ready").data["rid"] == LONG
        deadline = time.monotonic() + 25
        while not counted(live, 'flashsale_live_dropped_total{why="slow"}'):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert counted(live, "flashsale_live_connections") == 1
        flood(item, ann, 1)
        assert reader.wait("result", kind="ready")
    stuck.close()
