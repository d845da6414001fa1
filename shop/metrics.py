"""What `/metrics` tells Prometheus about this process; every process answers for itself.

Other apps add theirs with `add_collector`: the function is called at each scrape and must be quick.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator

from django.http import HttpRequest, HttpResponseBase
from prometheus_client import CollectorRegistry, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from shop import lately

log = logging.getLogger(__name__)
registry = CollectorRegistry(auto_describe=False)
ProcessCollector(registry=registry)
PlatformCollector(registry=registry)
REQUEST_SECONDS = Histogram(
    "shop_request_seconds",
    "Time from a request to the head of its answer, by view and status.",
    ["view", "method", "status"],
    buckets=lately.BOUNDS,
    registry=registry,
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

Answer = Callable[[HttpRequest], HttpResponseBase]
Collect = Callable[[], Iterable[Metric]]


class _Collectors(Collector):
    """The functions that other apps added; one that fails says so and leaves the others alone."""

    def __init__(self) -> None:
        self.functions: dict[str, Collect] = {}

    def collect(self) -> Iterator[Metric]:
        """Ask each function; `shop_collector_failed` is 1 where one raised."""
        failed = GaugeMetricFamily(
            "shop_collector_failed", "1 if these figures are missing.", labels=["name"]
        )
        for name, function in self.functions.items():
            try:
                metrics = list(function())
            except Exception:  # a store is away, a query timed out: the other figures still count
                log.exception("The figures of %s could not be read", name)
                failed.add_metric([name], 1)
                continue
            failed.add_metric([name], 0)
            yield from metrics
        yield failed


_collectors = _Collectors()
registry.register(_collectors)


def add_collector(*, name: str, collect: Collect) -> None:
    """Call `collect` at each scrape for metric families of prometheus_client; a name added twice replaces."""
    _collectors.functions[name] = collect


def timed(get_response: Answer) -> Answer:
    """Middleware, outermost: time every request under the name of its view, never under its address."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        response = get_response(request)
        match = request.resolver_match
        view = (match.view_name if match else "") or "none"
        method = request.method if request.method in METHODS else "other"
        seconds = time.perf_counter() - start
        REQUEST_SECONDS.labels(view, method, response.status_code).observe(seconds)
        lately.note(seconds)
        return response

    return answer
