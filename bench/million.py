"""A million shoppers for ten thousand units: gate, both stores, worker and beat at once, as in production."""

import time
from collections import Counter
from dataclasses import replace

from django.conf import settings
from django.db.models import Max

from bench import metrics, roles
from bench.load import Told
from bench.sampling import Sample, Sampler
from bench.stage import Stage, look, settled
from flashsale import reconcile
from flashsale.models import Reservation, SaleItem
from shop.up.messages import say

RECORDED_WITHIN = 60.0
MEASURED = ("gate", "worker", "beat")


def measure(stage: Stage) -> None:
    """`million_s` and what must hold exactly: answers, orders, both stores."""
    sizes = stage.sizes
    users = stage.shoppers(sizes.million)
    item = stage.new_sale(units=sizes.units, standby=sizes.standby, pay_within=3600)
    stage.stop("gate")  # a fresh one: its memory is measured, too
    gate = stage.role("gate")
    look(gate, item.sale_id)
    stage.start_worker(item=item)
    try:
        watched = _watched(stage)
        for pid in watched.values():
            roles.forget_peaks(pid)
        sampler = Sampler(gate=gate, item=item)
        sampler.start()
        before = {name: roles.cpu_seconds(pid) for name, pid in watched.items()}
        told = stage.attempt("gate", item, users)
        _wait_for_orders(stage, sampler)
        for name, pid in watched.items():
            stage.figures.add(f"million_{name}_mib", roles.peak_mib(pid))
            stage.figures.add(f"million_{name}_cpu_s", roles.cpu_seconds(pid) - before[name])
        samples = sampler.finish()
    finally:
        stage.stop("beat", "worker")
    _tell_times(stage, item, told, samples)
    _check(stage, item, told, metrics.outcomes(metrics.read(gate)))


def _watched(stage: Stage) -> dict[str, int]:
    found = {name: stage.pid(name) for name in MEASURED}
    return found | {name: pid for name, pid in stage.store_pids.items() if name != "cache"}


def _wait_for_orders(stage: Stage, sampler: Sampler) -> None:
    """Wait until every reservation and standby place has its row and the sampler has seen it."""
    deadline = time.monotonic() + RECORDED_WITHIN
    expected = stage.sizes.units
    while time.monotonic() < deadline:
        last = sampler.samples[-1] if sampler.samples else None
        if last and last.orders >= expected and last.waiting == 0:
            return
        time.sleep(0.05)
    stage.expect(False, f"the orders were not written within {RECORDED_WITHIN:.0f} s of the last answer")


def _tell_times(stage: Stage, item: SaleItem, told: Told, samples: list[Sample]) -> None:
    """Times count from the first attempt sent: to the last answer, the last unit, the last order."""
    figures, units = stage.figures, stage.sizes.units
    figures.add("million_s", told.seconds)
    figures.add("million_rps", told.rps)
    figures.add("million_load_cpu_s", told.load_cpu)
    figures.add("million_p50_ms", told.percentiles[50])
    figures.add("million_p99_ms", told.percentiles[99])
    last = Reservation.objects.filter(item=item).aggregate(at=Max("reserved_at"))["at"]
    if last is not None:
        figures.add("million_sold_out_s", last.timestamp() - told.started_at)
    ordered = next((sample.at for sample in samples if sample.orders >= units), None)
    if ordered is not None:
        figures.add("million_ordered_s", ordered - told.started_at)
    figures.add("million_oldest_waiting_ms", max((sample.oldest_ms for sample in samples), default=0))
    before = [sample for sample in samples if sample.at < told.started_at][-1:]
    during = [replace(sample, at=max(0.0, sample.at - told.started_at)) for sample in samples]
    stage.pictures["million"] = during[max(0, samples.index(before[0])) :] if before else during


def _check(stage: Stage, item: SaleItem, told: Told, counted: dict[str, float]) -> None:
    sizes, outcomes = stage.sizes, told.outcomes()
    expected = Counter(
        reserved=sizes.units, standby=sizes.standby, sold_out=sizes.million - sizes.units - sizes.standby
    )
    say(f"    {', '.join(f'{name} {number}' for name, number in outcomes.most_common())}")
    stage.expect(outcomes == expected, f"the funnel is {dict(outcomes)}, not {dict(expected)}")
    stage.expect(
        {name: int(number) for name, number in counted.items()} == outcomes,
        f"the gate counted {counted}, its shoppers {dict(outcomes)}",
    )
    orders = Reservation.objects.filter(item=item, status=Reservation.Status.HELD, order__isnull=False)
    buyers = orders.values("user").distinct().count()
    report = reconcile.compare(sale_id=item.sale_id)
    stage.expect(orders.count() == sizes.units, f"{orders.count()} orders for {sizes.units} units")
    stage.expect(buyers == sizes.units, f"{sizes.units} orders by {buyers} shoppers")
    stage.expect(report.is_clean, f"the stores differ: {report}")
    stage.expect(settled(item).free == 0, "the store has a unit left")
    _tell_counts(stage, orders.count(), outcomes, report.is_clean, exact=buyers == sizes.units)


def _tell_counts(stage: Stage, orders: int, outcomes: Counter[str], is_clean: bool, *, exact: bool) -> None:
    answered = outcomes.total()
    stage.figures.add("million_orders", orders)
    stage.figures.add("million_answered", answered)
    stage.figures.add("million_reconciled", is_clean)
    for name in ("reserved", "standby", "sold_out"):
        stage.figures.add(f"million_{name}", outcomes[name])
    all_exact = exact and is_clean and orders == stage.sizes.units and answered == stage.sizes.million
    stage.figures.add("million_exact", all_exact)
    stage.figures.add("million_batch_size", settings.ORDER_BATCH_SIZE)
