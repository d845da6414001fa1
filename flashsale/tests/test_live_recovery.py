"""What broke, and what everybody is told afterwards: streams, live processes, the subscription, the store."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest
import redis
from django_redis import get_redis_connection

from flashsale import draining, results, scheduling, stock
from flashsale.models import Reservation
from flashsale.tests.conftest import MakeSale, MakeShoppers, attempt, win
from flashsale.tests.gates import ask, running_live
from flashsale.tests.streams import listening
from shop import store
from shop.up import valkey
from shop.up.ports import free_port

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_result_that_was_missed_is_told_on_the_next_stream(
    make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    with running_live() as live:
        with listening(live, item, ann) as stream:
            mark = stream.wait("state").id
            assert stream.wait("own").data["items"][0]["outcome"] == "none"
        (rid,) = win(item, ann)
        with listening(live, item, ann, **{"Last-Event-ID": mark}) as stream:
            own = stream.wait("own").data["items"][0]
    assert (own["outcome"], own["rid"]) == ("reserved", rid)


def test_a_process_that_ends_lets_its_readers_go_and_the_next_one_tells_all(
    make_sale: MakeSale, shoppers: MakeShoppers, tmp_path: Path
) -> None:
    item, crowd, port, log = make_sale(), shoppers(30), free_port(), tmp_path / "log"
    streams = []
    with running_live(port=port, says=log) as live:
        for user in crowd:
            listener = listening(live, item, user)
            streams.append((listener, listener.__enter__()))
        for _, stream in streams:
            stream.wait("own")
        started = time.monotonic()
    assert time.monotonic() - started < 10
    for listener, stream in streams:
        assert list(stream.events()) == []  # ended properly, with nothing after it
        listener.__exit__(None, None, None)
    assert "Traceback" not in log.read_text()
    (rid,) = win(item, crowd[0])
    with running_live(port=port) as live, listening(live, item, crowd[0]) as stream:
        assert stream.wait("own").data["items"][0]["rid"] == rid


def test_news_lost_with_the_subscription_is_told_anew(make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    client = get_redis_connection("sale")
    with running_live() as live, listening(live, item, ann) as stream:
        stream.wait("own")
        client.client_kill_filter(_type="pubsub")
        (rid,) = win(item, ann)  # published to nobody
        assert stream.wait("own").data["items"][0]["rid"] == rid
        events = stream.events()
        scheduling.pause(sale_id=item.sale_id)
        assert any(event.name == "state" and event.data["state"] == "paused" for event in events)


def load(url: str, call: "stock.Call[object]") -> None:
    async def go() -> None:
        client = store.connect_async(url)
        await stock.run_async(client, call)
        await client.aclose()

    asyncio.run(go())


def test_streams_outlive_the_store(make_sale: MakeSale, shoppers: MakeShoppers, tmp_path: Path) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    process, url = valkey.start_sale(tmp_path, tmp_path)
    load(url, stock.load(item.sale_id, scheduling.document(item.sale)))  # type: ignore[arg-type]
    try:
        with running_live(REDIS_URL=url) as live, listening(live, item, ann) as stream:
            assert stream.wait("own").data["items"][0]["outcome"] == "none"
            os.kill(process.pid(), signal.SIGKILL)
            process.stop(2)
            assert ask(live, "GET", "/gate/live/healthz")[0] == 200
            process.start()
            valkey.wait_until_ready(process, url)
            pairs = [(item.pk, ann.pk)]
            load(url, stock.attempt(item.sale_id, pairs, per_minute=9))  # type: ignore[arg-type]
            assert stream.wait("state").data["items"][0]["free"] in (2, 3)
            own = stream.wait("own").data["items"][0]
            assert own["outcome"] in ("none", "reserved")
            load(url, stock.pause(item.sale_id, paused=True))  # type: ignore[arg-type]
            assert stream.wait("state", state="paused")
    finally:
        process.stop(2)


def test_a_store_that_takes_no_news_stops_no_worker(
    make_sale: MakeSale,
    shoppers: MakeShoppers,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    attempt(item, ann)
    away = redis.Redis(port=free_port(), socket_connect_timeout=0.2)
    monkeypatch.setattr(results, "get_redis_connection", lambda _name: away)
    draining.drain_once(sale_id=item.sale_id)
    assert Reservation.objects.get(item=item, user=ann).order is not None
    assert "1 results were not told" in caplog.text
