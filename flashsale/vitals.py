"""How the stores do, for Prometheus: whether their clocks agree, and who keeps PostgreSQL waiting."""

from collections.abc import Iterable
from datetime import UTC, datetime

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
    seconds, micro = client.time(**store.server_of(client, sale_keys(0)[0]))
    skew.add_metric(["sale"], seconds + micro / 1_000_000 - datetime.now(UTC).timestamp())
    with connection.cursor() as cursor:
        cursor.execute(POSTGRES)
        now, idle, locks, used = map(float, cursor.fetchone())
    skew.add_metric(["postgres"], now - datetime.now(UTC).timestamp())
    return [
        skew,
        GaugeMetricFamily(
            "shop_postgres_idle_in_transaction_seconds", "The longest open transaction without work.", idle
        ),
        GaugeMetricFamily("shop_postgres_waiting_for_locks", "Connections that wait for a lock.", locks),
        GaugeMetricFamily("shop_postgres_connections_used", "Share of the connections there may be.", used),
    ]
