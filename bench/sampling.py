"""Looks at every layer several times a second while a burst lasts: gate, store, database."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException

from django.db import connection
from redis.exceptions import RedisError

from bench import metrics
from flashsale import stock, stream
from flashsale.models import SaleItem

PAUSE = 0.2


@dataclass(frozen=True)
class Sample:
    """One look. `at` in seconds since 1970, in pictures since the start; rates are differences of totals."""

    at: float
    answered: float
    decided: float
    orders: int
    free: int
    held: int
    standby: int
    waiting: int
    oldest_ms: int


class Sampler(threading.Thread):
    """Samples until it is told to stop; a store that does not answer in time costs one sample."""

    def __init__(self, *, gate: str, item: SaleItem) -> None:
        super().__init__(daemon=True)
        self._gate = gate
        self._item = item
        self._over = threading.Event()
        self.samples: list[Sample] = []

    def run(self) -> None:
        """Look again and again."""
        first = metrics.read(self._gate)
        while not self._over.wait(PAUSE):
            with suppress(RedisError, OSError, HTTPException):
                self.samples.append(self._look(first))
        connection.close()

    def finish(self) -> list[Sample]:
        """Stop and return all samples."""
        self._over.set()
        self.join(timeout=10)
        return self.samples

    def _look(self, first: metrics.Counts) -> Sample:
        counts = metrics.read(self._gate) - first
        status = stock.run(stock.status(self._item.sale_id, [self._item.pk]))
        backlog = stream.backlog(self._item.sale_id)
        orders = SaleItem.objects.values_list("held", flat=True).get(pk=self._item.pk)
        units = status.items[self._item.pk] if status else None
        return Sample(
            at=time.time(),
            answered=sum(metrics.outcomes(counts).values()),
            decided=counts["flashsale_gate_batch_size_sum", ""],
            orders=orders,
            free=units.free if units else 0,
            held=units.held if units else 0,
            standby=units.standby if units else 0,
            waiting=backlog.unread + backlog.pending,
            oldest_ms=backlog.oldest_ms,
        )
