"""Who may listen, how many, and how much a process does for them."""

import json
import time
from collections.abc import Iterator

import pytest
from django_redis import get_redis_connection

from accounts.models import User
from flashsale import stock
from flashsale.models import SaleItem
from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.gates import a_pass, ask, bearer, running_live
from flashsale.tests.streams import Stream, cookie, listening, path_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def live() -> Iterator[str]:
    with running_live(LIVE_MAX_CONNECTIONS="8") as address:
        yield address


def wait_for(address: str, line: str) -> None:
    """Wait until the process counts what `line` of its metrics says."""
    deadline = time.monotonic() + 10
    while line not in ask(address, "GET", "/gate/live/metrics")[2].decode().splitlines():
        assert time.monotonic() < deadline, ask(address, "GET", "/gate/live/metrics")[2].decode()
        time.sleep(0.05)


def opened(address: str, item: SaleItem, user: User, headers: dict[str, str]) -> int:
    """Return the status of an attempt to listen."""
    stream = Stream(address, path_of(item), headers)
    stream.close()
    return stream.status


def test_only_a_pass_for_this_sale_that_lives_and_is_ours_opens_a_stream(
    live: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, other, (ann,) = make_sale(), make_sale(), shoppers(1)
    right = a_pass(item, ann)
    refused = [
        {},
        bearer("p.1.2.3"),
        bearer(a_pass(other, ann)),
        bearer(a_pass(item, ann, expires_in=-1)),
        bearer(a_pass(item, ann, keys=["somebody else's"])),
        bearer(right[:-1] + ("0" if right[-1] != "0" else "1")),
    ]
    assert [ask(live, "GET", path_of(item), one)[0] for one in refused] == [403] * len(refused)
    assert opened(live, item, ann, bearer(right)) == 200


def test_a_cookie_counts_from_pages_of_ours_only(
    live: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    ours = cookie(item, ann)
    silent = {"Cookie": ours["Cookie"]}
    assert opened(live, item, ann, ours) == opened(live, item, ann, silent) == 200
    assert ask(live, "GET", path_of(item), ours | {"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert ask(live, "GET", path_of(item), silent | {"Origin": "https://else.example"})[0] == 403


def test_wrong_doors_are_answered_plainly(live: str, make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    status, headers, body = ask(live, "POST", path_of(item), bearer(a_pass(item, ann)))
    assert (status, headers["allow"]) == (405, "GET")
    assert "detail" in json.loads(body)
    assert ask(live, "GET", "/gate/sales/x/events")[0] == 404
    stock_key = stock.sale_keys(item.sale_id)[0]
    get_redis_connection("sale").delete(stock_key)
    assert ask(live, "GET", path_of(item), bearer(a_pass(item, ann)))[0] == 404
    wait_for(live, "flashsale_live_connections 0")


def test_a_host_that_is_not_ours_is_refused(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    with running_live(ALLOWED_HOSTS="127.0.0.1") as live:
        headers = bearer(a_pass(item, ann))
        assert ask(live, "GET", path_of(item), headers | {"Host": "else.example"})[0] == 400
        assert opened(live, item, ann, headers) == 200


def test_beyond_the_limit_one_is_told_when_to_come_again_and_places_come_free(
    live: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, crowd = make_sale(), shoppers(9)
    wait_for(live, "flashsale_live_connections 0")
    streams = [Stream(live, path_of(item), cookie(item, user)) for user in crowd[:8]]
    assert [stream.status for stream in streams] == [200] * 8
    status, headers, body = ask(live, "GET", path_of(item), cookie(item, crowd[8]))
    assert (status, json.loads(body)["outcome"]) == (503, "full")
    assert 20 <= int(headers["retry-after"]) <= 40
    streams[0].close()
    wait_for(live, "flashsale_live_connections 7")
    assert opened(live, item, crowd[8], cookie(item, crowd[8])) == 200
    for stream in streams[1:]:
        stream.close()
    wait_for(live, "flashsale_live_connections 0")


def test_a_fifth_stream_of_a_shopper_ends_his_oldest(
    live: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    streams = [Stream(live, path_of(item), cookie(item, ann)) for _ in range(5)]
    streams[4].wait("own")
    assert {"hello"} <= {event.name for event in streams[0].events()}  # to its end
    assert streams[0].retry == 60_000
    for stream in streams:
        stream.close()


def test_one_subscription_serves_however_many_listen(
    live: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    items, crowd = [make_sale(), make_sale()], shoppers(6)
    client = get_redis_connection("sale")
    with listening(live, items[0], crowd[0]) as stream:
        stream.wait("own")
        before = client.pubsub_numsub(stock.NEWS, stock.RESULTS)
        streams = [Stream(live, path_of(items[n % 2]), cookie(items[n % 2], crowd[n])) for n in range(1, 6)]
        for one in streams:
            one.wait("own")
        assert client.pubsub_numsub(stock.NEWS, stock.RESULTS) == before
        assert [count for _, count in before] == [1, 1]
        for one in streams:
            one.close()


def test_a_quiet_stream_has_a_heartbeat(live: str, make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    with listening(live, item, ann) as stream:
        stream.wait("own")
        stream.socket.settimeout(20)
        lines = stream.lines()
        assert ":" in (next(lines) for _ in range(20))
