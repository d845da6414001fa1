"""Our own stores: private, durable where it counts, and careful with folders that are not theirs."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg2
import pytest
import redis

from shop.up import places, postgres, stores, valkey
from shop.up.messages import Trouble
from shop.up.processes import NOBODY

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


def ask(url: str, question: str) -> object:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(question)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
    finally:
        connection.close()


@pytest.fixture(scope="module")
def kept() -> Iterator[Path]:
    """A data folder whose database holds one table."""
    folder = Path(tempfile.mkdtemp(prefix="flashsale-test-"))
    folder.chmod(0o755)
    (folder / "logs").mkdir()
    with database(folder) as url:
        ask(url, "CREATE TABLE kept AS SELECT 42 AS answer")
    yield folder
    shutil.rmtree(folder)


@contextmanager
def database(folder: Path, *, durable: bool = True) -> Iterator[str]:
    process, url = postgres.start(folder, folder / "logs", durable=durable)
    try:
        yield url
    finally:
        process.stop(5)


def test_a_second_start_finds_the_rows_of_the_first(kept: Path) -> None:
    with database(kept) as url:
        assert ask(url, "SELECT answer FROM kept") == 42
        assert ask(url, "SHOW fsync") == "on"


def test_a_killed_database_starts_again_with_what_it_promised(kept: Path) -> None:
    process, url = postgres.start(kept, kept / "logs")
    ask(url, "UPDATE kept SET answer = 43")
    process.sweep()
    with database(kept) as url:
        assert ask(url, "SELECT answer FROM kept") == 43
        ask(url, "UPDATE kept SET answer = 42")


def test_the_database_asks_for_its_password(kept: Path) -> None:
    with database(kept) as url:
        right = (kept / "postgres-password").read_text().strip()
        with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
            psycopg2.connect(url.replace(right, "guess"))


def test_data_of_another_version_is_not_touched(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "major_version", lambda _: 99)
    with pytest.raises(Trouble, match=r"was made by PostgreSQL \d+, but 99 is installed now"):
        postgres.start(kept, kept / "logs")


@AS_ROOT
def test_as_root_closed_folders_stay_closed_and_the_state_goes_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.chmod(0o700)
    monkeypatch.setattr(postgres, "nobody_reaches", lambda _: False)
    with database(folder, durable=False) as url:
        assert ask(url, "SELECT 1") == 1
        home = Path((folder / "postgres-home").read_text().strip())
        assert [path.name for path in home.glob("programs-*")] == [f"programs-{places.wheel_version()}"]
    assert folder.stat().st_mode & 0o777 == 0o700
    assert home.parent == postgres.ELSEWHERE
    assert home.stat().st_mode & 0o777 == 0o700
    assert home.stat().st_uid == NOBODY
    postgres.forget(folder)
    assert not home.exists()


def test_the_sales_memory_is_on_disk_before_it_answers(folder: Path) -> None:
    process, url = valkey.start_sale(folder, folder / "logs")
    try:
        with redis.Redis.from_url(url) as client:
            found = client.config_get(
                "appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy"
            )
            client.set("unit", 1)
        process.sweep()
        process.start()
        valkey.wait_until_ready(process, url)
        with redis.Redis.from_url(url) as client:
            assert client.get("unit") == b"1"
    finally:
        process.stop(2)
    assert found == {
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "maxmemory-policy": "noeviction",
    }


def test_the_sales_memory_asks_for_its_password(folder: Path) -> None:
    process, url = valkey.start_cache(folder, folder / "logs")
    try:
        with (
            redis.Redis.from_url("redis://" + url.partition("@")[2]) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()
    finally:
        process.stop(2)


def test_a_user_without_a_name_is_told_who_may_start_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 123_456)
    with pytest.raises(Trouble, match=r"^Your user id 123456 has no name on this system"):
        postgres.start(folder, folder / "logs")


def test_a_store_named_but_absent_is_told_without_its_password(folder: Path) -> None:
    given = {"DATABASE_URL": "postgres://shop:hidden@127.0.0.1:9/shop"}
    with pytest.raises(Trouble, match=r"^DATABASE_URL is set, but 127\.0\.0\.1:9 does not let us in") as told:
        stores.Stores(folder).start(given)
    assert "hidden" not in str(told.value)


def test_the_broker_is_database_one_of_the_sales_memory() -> None:
    assert stores.broker_url("redis://:secret@127.0.0.1:6379/0") == "redis://:secret@127.0.0.1:6379/1"


def test_a_machine_without_any_store_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "major_version", lambda _: 0)
    with pytest.raises(Trouble, match="apt-get install postgresql"):
        places.system_postgres()
    with pytest.raises(Trouble, match="apt-get install redis-server"):
        places.valkey()
