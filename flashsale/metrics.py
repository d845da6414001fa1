"""Figures of the running sales for Prometheus: units in both stores and what is on its way between them."""

from collections.abc import Iterable

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from flashsale import reconcile
from flashsale.models import Reservation, Sale
from flashsale.reconcile import Figures
from shop.orders.models import OutboxMail


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
    idle = GaugeMetricFamily(
        "flashsale_units_idle", "Free units for which somebody stands by.", labels=["item"]
    )
    live = GaugeMetricFamily("flashsale_sale_live", "1 while the sale should sell.", labels=["sale"])
    paused = GaugeMetricFamily("flashsale_sale_paused", "1 while nobody can reserve.", labels=["sale"])
    sales = Sale.objects.filter(state=Sale.State.SCHEDULED)
    for row in sales:
        live.add_metric([str(row.pk)], row.opens_at <= timezone.now() < row.closes_at)
        paused.add_metric([str(row.pk)], row.paused)
    for sale_id in (row.pk for row in sales):
        report, sale = reconcile.compare(sale_id=sale_id), [str(sale_id)]
        oldest.add_metric(sale, report.backlog.oldest_ms / 1000)
        pending.add_metric(sale, report.backlog.unread + report.backlog.pending)
        parked.add_metric(sale, report.parked)
        untold.add_metric(sale, report.untold)
        for item in report.items:
            idle.add_metric([str(item.item)], item.idle)
            for store, figures in (("rows", item.rows), ("store", item.store)):
                if figures is not None:
                    _add(units, gap, str(item.item), store, figures)
    return [units, gap, oldest, pending, parked, untold, idle, live, paused, *_late(), *_mail()]


def _late() -> Iterable[Metric]:
    """How late the deadlines are, and how many reservations the rows refused."""
    held = Reservation.objects.filter(status=Reservation.Status.HELD).order_by("pay_by").first()
    overdue = max(0.0, (timezone.now() - held.pay_by).total_seconds()) if held else 0.0
    yield GaugeMetricFamily(
        "flashsale_deadline_overdue_seconds", "How long the oldest held unit is past its deadline.", overdue
    )
    displaced = Reservation.objects.filter(status=Reservation.Status.DISPLACED).count()
    yield GaugeMetricFamily("flashsale_displaced", "Reservations that the rows refused.", displaced)


def _mail() -> Iterable[Metric]:
    """How long the oldest mail waits."""
    waiting = OutboxMail.objects.filter(status=OutboxMail.Status.PENDING).order_by("created_at").first()
    age = (timezone.now() - waiting.created_at).total_seconds() if waiting else 0.0
    yield GaugeMetricFamily("flashsale_outbox_oldest_seconds", "Age of the oldest mail not yet sent.", age)


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
