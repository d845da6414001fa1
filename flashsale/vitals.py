"""How the stores do, for Prometheus: clocks, the store's file, and who keeps PostgreSQL waiting."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django_redis import get_redis_connection
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from flashsale.stock import sale_keys
from shop import store

POSTGRES = """
SELECT extract(epoch FROM clock_timestamp()),
    coalesce(max(extract(epoch FROM clock_timestamp() - state_change))
        FILTER (WHERE state LIKE 'idle in transaction%'), 0),
    count(*) FILTER (WHERE wait_event_type = 'Lock'),
    count(*)::float / current_setting('max_connections')::int
FROM pg_stat_activity WHERE backend_type = 'client backend'"""


def collect() -> Iterable[Metric]:
    """Yield clocks and PostgreSQL's waits (seconds, counts). Raises RedisError and DatabaseError."""
    skew = GaugeMetricFamily(
        "shop_clock_skew_seconds", "By how much a store's clock is ahead of this process's.", labels=["store"]
    )
    client = get_redis_connection("sale")
    server = store.server_of(client, sale_keys(0)[0])
    seconds, micro = client.time(**server)
    told = client.info("persistence", **server)
    skew.add_metric(["sale"], seconds + micro / 1_000_000 - datetime.now(UTC).timestamp())
    with connection.cursor() as cursor:
        cursor.execute(POSTGRES)
        now, idle, locks, used = map(float, cursor.fetchone())
    skew.add_metric(["postgres"], now - datetime.now(UTC).timestamp())
    return [
        skew,
        _file(told),
        _size(told),
        GaugeMetricFamily(
            "shop_postgres_idle_in_transaction_seconds", "The longest open transaction without work.", idle
        ),
        GaugeMetricFamily("shop_postgres_waiting_for_locks", "Connections that wait for a lock.", locks),
        GaugeMetricFamily("shop_postgres_connections_used", "Share of the connections there may be.", used),
    ]


def _file(told: dict[str, Any]) -> GaugeMetricFamily:
    """Read what Valkey says of its append-only file; `err` there is nearly always a full disk."""
    failed = GaugeMetricFamily(
        "shop_store_file_failed", "1 if the last write or rewrite of the file failed.", labels=["what"]
    )
    for what, name in {"write": "aof_last_write_status", "rewrite": "aof_last_bgrewrite_status"}.items():
        failed.add_metric([what], told.get(name, "ok") != "ok")
    return failed


def _size(told: dict[str, Any]) -> GaugeMetricFamily:
    """Read how long the file is, and how long it was when it was last written anew."""
    size = GaugeMetricFamily(
        "shop_store_file_bytes",
        "Size of the append-only file: now, and when it was last rewritten.",
        labels=["at"],
    )
    for at, name in {"now": "aof_current_size", "rewrite": "aof_base_size"}.items():
        size.add_metric([at], told.get(name, 0))
    return size
