"""From reservation to committed order: in batches as the worker does it, and one by one beside it."""

import time

from bench import roles
from bench.stage import Stage, per_minute
from flashsale import draining, reconcile, recording, stock, stream
from flashsale.models import Reservation, SaleItem

CALL = 500


def measure(stage: Stage) -> None:
    """`orders_rps` and `orders_single_rps`: how fast a full stream becomes rows."""
    item = reserved(stage, stage.sizes.orders)
    database = stage.store_pids["postgres"]
    cpu = time.process_time() + roles.cpu_seconds(database)
    started = time.perf_counter()
    draining.drain_once(sale_id=item.sale_id)
    seconds = time.perf_counter() - started
    cpu = time.process_time() + roles.cpu_seconds(database) - cpu
    stage.figures.add("orders_cpu_ms", cpu * 1000 / stage.sizes.orders)
    _tell(stage, item, "orders_rps", stage.sizes.orders, seconds)
    item = reserved(stage, stage.sizes.orders_single)
    started = time.perf_counter()
    _one_by_one(item)
    _tell(stage, item, "orders_single_rps", stage.sizes.orders_single, time.perf_counter() - started)


def reserved(stage: Stage, number: int) -> SaleItem:
    """Return an item of which so many units are reserved in the store and none in the rows."""
    item, users = stage.new_sale(units=number), stage.shoppers(number)
    for at in range(0, number, CALL):
        pairs = [(item.pk, user) for user in users[at : at + CALL]]
        stock.run(stock.attempt(item.sale_id, pairs, per_minute=per_minute()))
    return item


def _one_by_one(item: SaleItem) -> None:
    """The same rows, each order in a transaction of its own that locks the item's row first."""
    while entries := stream.read([item.sale_id], consumer="one", count=100).get(item.sale_id, []):
        for entry in entries:
            recording.record(sale_id=item.sale_id, entries=[entry])
            stream.acknowledge(item.sale_id, [entry.id])


def _tell(stage: Stage, item: SaleItem, name: str, number: int, seconds: float) -> None:
    orders = Reservation.objects.filter(item=item, order__isnull=False).values("user").distinct().count()
    stage.expect(orders == number, f"{number} reservations became {orders} orders ({name})")
    report = reconcile.compare(sale_id=item.sale_id)
    stage.expect(report.is_clean, f"the stores differ after {name}: {report}")
    stage.figures.add(name, number / seconds)
