"""Whether beat and the workers still work: beat sends a task to each queue, which leaves its time behind."""

import time
from collections.abc import Iterable

from django.core.cache import cache
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from shop.broker import NAMES

BEGAN = time.time()


def sing(queue: str) -> None:
    """Say that a worker of this queue has just done something."""
    cache.set(_key(queue), time.time(), timeout=None)


def ages() -> dict[str, float]:
    """Return for each queue how long ago that was (s); where it never was, since this process began."""
    heard = cache.get_many([_key(queue) for queue in NAMES])
    now = time.time()
    return {queue: max(0.0, now - heard.get(_key(queue), BEGAN)) for queue in NAMES}


def collect() -> Iterable[Metric]:
    """Yield the ages; where all of them grow, it is beat that is silent."""
    age = GaugeMetricFamily(
        "shop_canary_age_seconds", "Time since a queue's workers did their last test task.", labels=["queue"]
    )
    for queue, seconds in ages().items():
        age.add_metric([queue], seconds)
    return [age]


def _key(queue: str) -> str:
    return f"canary {queue}"
