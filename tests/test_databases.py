"""A shop behind PgBouncer with a replica: who reads where, what lags, and what is left when it is gone."""

import http.client
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlencode, urlsplit

import pytest

from shop.up import state
from tests.databases import Databases, running_databases
from tests.running import Shop, running_shop

pytestmark = pytest.mark.cluster
LAG = "3"


@pytest.fixture(scope="module")
def databases() -> Iterator[Databases]:
    """A primary and its copy for the tests of this file."""
    with running_databases() as databases:
        yield databases


@pytest.fixture(scope="module")
def shop(databases: Databases) -> Iterator[Shop]:
    """A shop that reaches the primary through PgBouncer."""
    settings = {"DATABASE_URL": databases.bounce(), "PGBOUNCER": "1", "CONN_MAX_AGE": "60"}
    with running_shop(**settings, DATABASE_REPLICA_URL=databases.replica_url, REPLICA_MAX_LAG=LAG) as shop:
        shop.env |= state.read_state(shop.folder)["environment"]  # manage.py believes a given DATABASE_URL
        yield shop


def get(shop: Shop, path: str, cookie: str = "", form: dict[str, str] | None = None) -> tuple[str, str]:
    """Fetch a page, or send a form; return the body and the cookies that came with it."""
    connection = http.client.HTTPConnection(urlsplit(shop.url).netloc, timeout=20)
    headers = {"Cookie": cookie} if cookie else {}
    if form is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request("GET" if form is None else "POST", path, urlencode(form or {}), headers)
    response = connection.getresponse()
    body = response.read().decode()
    assert response.status in (200, 302, 303, 403), f"{path}: {response.status}"
    set_cookies = "; ".join(value.split(";")[0] for value in response.headers.get_all("Set-Cookie") or [])
    connection.close()
    return body, set_cookies


def until(holds: Callable[[], bool], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"Not within {seconds:.0f} s: {what}"
        time.sleep(0.3)


@contextmanager
def held_back(databases: Databases) -> Iterator[None]:
    """Let the copy receive, and not replay."""
    databases.ask("SELECT pg_wal_replay_pause()", replica=True)
    try:
        yield
    finally:
        databases.ask("SELECT pg_wal_replay_resume()", replica=True)


def product(databases: Databases) -> int:
    return int(str(databases.ask("SELECT min(id) FROM catalogue_product WHERE published")[0][0]))


def test_sale_goes_its_way_through_a_pool_of_four_connections(shop: Shop, databases: Databases) -> None:
    sale = shop.demo_sale(quantity=40).removeprefix("demo-")
    told = shop.manage("crowd", "--shoppers", "200", "--seconds", "1", "--gate", shop.url, sale)
    assert "adds up" in told
    assert "adds up in both stores" in shop.manage("reconcile", sale)
    asked = "from django.db import connection as c; k = c.cursor(); k.execute('SHOW lock_timeout');"
    asked += "print(k.fetchone()[0])"
    assert shop.manage("shell", "--no-imports", "-v", "0", "-c", asked) == "2s"


def test_pages_come_from_the_replica_and_show_writers_what_they_wrote(
    shop: Shop, databases: Databases
) -> None:
    pk = product(databases)
    path = f"/api/catalogue/{pk}/"
    until(lambda: "Lag lamp" not in get(shop, path)[0], "the copy follows")
    with held_back(databases):
        databases.ask("UPDATE catalogue_product SET title = 'Lag lamp' WHERE id = %s", pk)
        assert "Lag lamp" not in get(shop, path)[0]  # from the copy, which has not heard of it
        _, cookie = get(shop, "/cart/", form={"nothing": "1"})
        assert re.search(r"\bwrote=[0-9A-F]+-[0-9A-F]+", cookie)
        assert "Lag lamp" in get(shop, path, cookie)[0]  # who has just written reads the primary
        # Too far behind, it is not used for anybody.
        until(lambda: "Lag lamp" in get(shop, path)[0], "everybody reads the primary")
        lag = re.search(r"^shop_replica_lag_seconds (\S+)", get(shop, "/metrics")[0], re.MULTILINE)
        assert lag is not None
        assert float(lag[1]) > float(LAG)
    until(lambda: "shop_replica_lag_seconds 0.0" in get(shop, "/metrics")[0], "it has caught up")


def test_shop_goes_on_without_its_replica(shop: Shop, databases: Databases) -> None:
    assert '"replica": "ok"' in get(shop, "/readyz")[0]
    databases.replica.stop(3.0)
    for path in ("/", f"/api/catalogue/{product(databases)}/", "/"):
        get(shop, path)
    assert '"replica": "down"' in get(shop, "/readyz")[0]
    assert "shop_replica_up 0.0" in get(shop, "/metrics")[0]
    databases.replica.start()
    until(lambda: "shop_replica_up 1.0" in get(shop, "/metrics")[0], "it is used again")
