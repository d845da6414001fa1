"""Figures of the running sales for Prometheus: units in both stores and what is on its way between them."""

from collections.abc import Iterable

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from flashsale import reconcile
from flashsale.models import Sale
from flashsale.reconcile import Figures


def collect() -> Iterable[Metric]:
    """Yield the gauges of every scheduled sale; raises RedisError if the store is away."""
    units = GaugeMetricFamily(
        "flashsale_units",
        "Units of an item, by store and by what became of them.",
        labels=["item", "store", "state"],
    )
    gap = GaugeMetricFamily(
        "flashsale_conservation_gap",
        "Units by which a store does not add up; must be 0.",
        labels=["item", "store"],
    )
    oldest = GaugeMetricFamily(
        "flashsale_oldest_unrecorded_seconds",
        "Age of the oldest reservation without an order.",
        labels=["sale"],
    )
    pending = GaugeMetricFamily("flashsale_stream_entries", "Decisions not yet recorded.", labels=["sale"])
    parked = GaugeMetricFamily("flashsale_parked", "Entries that could not be recorded.", labels=["sale"])
    untold = GaugeMetricFamily(
        "flashsale_ends_untold", "Ends that the store must still be told.", labels=["sale"]
    )
    for sale_id in Sale.objects.filter(state=Sale.State.SCHEDULED).values_list("pk", flat=True):
        report, sale = reconcile.compare(sale_id=sale_id), [str(sale_id)]
        oldest.add_metric(sale, report.backlog.oldest_ms / 1000)
        pending.add_metric(sale, report.backlog.unread + report.backlog.pending)
        parked.add_metric(sale, report.parked)
        untold.add_metric(sale, report.untold)
        for item in report.items:
            for store, figures in (("rows", item.rows), ("store", item.store)):
                if figures is not None:
                    _add(units, gap, str(item.item), store, figures)
    return [units, gap, oldest, pending, parked, untold]


def _add(units: GaugeMetricFamily, gap: GaugeMetricFamily, item: str, store: str, figures: Figures) -> None:
    counted = {
        "free": figures.free,
        "held": figures.held,
        "paid": figures.paid,
        "returned": figures.returned,
    }
    for state, number in counted.items():
        units.add_metric([item, store, state], number)
    gap.add_metric([item, store], figures.quantity - sum(counted.values()))
