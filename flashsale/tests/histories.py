"""A sale in one process whose history is written down and judged, as after a run of `make chaos`."""

import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

from django.core import mail

from accounts.models import User
from bench.chaos import witness
from bench.check.events import Writer, read
from bench.check.verdict import check
from flashsale import draining
from flashsale.models import SaleItem
from flashsale.tests.conftest import attempt
from shop.orders import outbox


class Told:
    """Writes what shoppers ask and are told; `verdict` ends it and names the predicates that were broken."""

    def __init__(self, item: SaleItem, path: Path) -> None:
        self.item, self._path = item, path
        self._history = Writer(path, run="control", seed=0, proc="test")
        self._ids, self._asked = count(1), 0
        self.letters: list[tuple[int, str]] = []
        sale = item.sale
        v = {
            "items": {str(item.pk): {"quantity": item.quantity, "price": item.total, "limit": item.limit}},
            "opens_at": round(sale.opens_at.timestamp() * 1000),
            "closes_at": round(sale.closes_at.timestamp() * 1000),
            "pay_within": sale.pay_within * 1000,
            "now": round(time.time() * 1000),
        }
        self._history.write("ok", "sale", sale=sale.pk, epoch=1, v=v)

    def attempt(
        self, user: User, *, probe: bool = False, meanwhile: Callable[[], object] | None = None
    ) -> str:
        """Attempt once; return the name of the reservation, empty for none.

        `meanwhile` happens when it is on its way and not decided yet.
        """
        fields: dict[str, Any] = {"id": f"a{next(self._ids)}", "item": self.item.pk, "user": user.pk}
        self._asked += 1
        self._history.write("invoke", "attempt", **fields, v={"pass": "good", "probe": probe})
        if meanwhile is not None:
            meanwhile()
        (told,) = attempt(self.item, user)
        kind = "info" if told.outcome == "paused" else "ok"
        v = {"first": told.first}
        self._history.write(
            kind,
            "attempt",
            **fields,
            outcome=told.outcome,
            rid=told.rid,
            pay_by=told.pay_by,
            n=told.number,
            v=v,
        )
        return told.rid

    def note(self, kind: str, op: str, **fields: Any) -> None:
        """Write anything else."""
        self._history.write(kind, op, **fields)

    def verdict(self, prober: User) -> dict[str, str]:
        """Send the mails, look at both stores, and judge: what was found, by predicate."""
        self.note("ok", "heal")
        self.attempt(prober, probe=True)
        draining.drain_once(sale_id=self.item.sale_id)
        while outbox.send_due():
            pass
        self.letters += [
            (time.monotonic_ns(), message.extra_headers["Message-ID"]) for message in mail.outbox
        ]
        mail.outbox.clear()
        witness.conclude(self._history, self.item, self, seconds=0)
        self.note("ok", "end", n=self._asked)
        self._history.close()
        return dict(check(read([self._path])))
