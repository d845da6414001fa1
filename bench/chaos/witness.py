"""What the stores say: looks at them during a run and the whole truth at its end."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from django.db import Error, connection, transaction
from django_redis import get_redis_connection
from redis.exceptions import RedisError

from bench.check.events import Writer
from flashsale import stock, stream
from flashsale.models import Reservation, Sale, SaleItem, StandbyEntry
from shop.orders import mail
from shop.orders.models import OutboxMail, Payment

EVERY_SECONDS = 0.05
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
Item = dict[str, Any]
Status = Reservation.Status
ENDS = {"paid", "expired", "cancelled", "displaced", "refused", "refunded"}
KINDS = {"passed_over": "refused"}


class Recorder(Protocol):
    """Where an event is written."""

    def write(self, kind: str, op: str, **fields: Any) -> None:
        """Write one event."""


class Letters(Protocol):
    """Whoever took the mails: (time in ns, Message-ID) of each, in order."""

    letters: list[tuple[int, str]]


def look_at_store(item: SaleItem) -> Item | None:
    """One atomic look at Valkey: units, holders, standby; None where it does not know the sale."""
    calls: list[stock.Call[Any]] = [
        stock.status(item.sale_id, [item.pk]),
        stock.members(item.sale_id, item.pk),
    ]
    status, members = stock.run_together(calls)
    units = status.items.get(item.pk) if status else None
    if units is None:
        return None
    return {
        "free": units.free,
        "held": units.held,
        "paid": units.paid,
        "returned": units.returned,
        "live": {rid: f"{user} {pay_by}" for user, (rid, pay_by) in members.holders.items()},
        "standby": {str(user): number for user, number in members.standby.items()},
    }


def look_at_rows(item: SaleItem) -> dict[str, Any]:
    """One REPEATABLE READ transaction: units, holders, standby, and what is still to be done."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        row = SaleItem.objects.get(pk=item.pk)
        held = Reservation.objects.filter(item=item, status=Status.HELD)
        waiting = StandbyEntry.objects.filter(item=item, status=StandbyEntry.Status.WAITING)
        units = {
            "free": row.free,
            "held": row.held,
            "paid": row.paid,
            "returned": row.returned,
            "live": {one.rid: f"{one.user_id} {_ms(one.pay_by)}" for one in held},
            "standby": {str(user): number for user, number in waiting.values_list("user_id", "number")},
        }
        ended = Reservation.objects.filter(item=item, store_told_at=None).exclude(status=Status.HELD)
        outbox = OutboxMail.objects.filter(status=OutboxMail.Status.PENDING)
        return {"items": {str(item.pk): units}, "untold": ended.count(), "outbox": outbox.count()}


class Observer:
    """Looks at the store again and again: its epoch and sequence, and now and then all of it."""

    def __init__(self, history: Writer, item: SaleItem) -> None:
        self._history, self._item = history, item
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopped.set()
        self._thread.join()

    def _watch(self) -> None:
        looks = 0
        while not self._stopped.wait(EVERY_SECONDS):
            looks += 1
            with suppress(RedisError, OSError):
                status = stock.run(stock.status(self._item.sale_id, []))
                if status:
                    self._history.write("ok", "status", epoch=status.epoch, seq=status.seq)
                if looks % 5 == 0:
                    write_store(self._history, look_at_store(self._item), self._item)
        connection.close()


def write_store(history: Writer, found: Item | None, item: SaleItem, *, final: bool = False) -> None:
    """Write one look at the store."""
    items = {} if found is None else {str(item.pk): found}
    history.write("ok", "snapshot", v={"store": "store", "final": final, "items": items})


def settle(
    history: Writer,
    item: SaleItem,
    *,
    seconds: float,
    halfway: Callable[[Writer], None] = lambda _history: None,
) -> tuple[bool, dict[str, Any]]:
    """Wait until both stores tell the same and nothing is on its way; write that, and return the rows.

    The first value is False if that never came.

    `halfway` is called once, if that takes more than 3 seconds.
    """
    deadline, halfway_at = time.monotonic() + seconds, time.monotonic() + 3
    while True:
        is_last = time.monotonic() > deadline
        if time.monotonic() > halfway_at:
            halfway(history)
            halfway_at = deadline + 1
        with suppress(RedisError, Error):
            before, found, left = look_at_rows(item), look_at_store(item), stream.backlog(item.sale_id)
            rows = look_at_rows(item)
            units = rows["items"][str(item.pk)]
            is_settled = before == rows and not rows["untold"] and not rows["outbox"] and units == found
            is_settled = is_settled and not left.unread and not left.pending and not _is_due(item)
            if is_settled or is_last:
                write_store(history, found, item, final=True)
                rest = {"backlog": left.unread + left.pending, "oldest_ms": left.oldest_ms}
                history.write("ok", "snapshot", v={"store": "rows", "final": True, **rows, **rest})
                return is_settled, rows
        if is_last:
            return False, {}
        time.sleep(0.1)


def _is_due(item: SaleItem) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM flashsale_reservation"
            " WHERE item_id = %s AND status = 'held' AND pay_by < now())",
            [item.pk],
        )
        return bool(cursor.fetchone()[0])


class Notes:
    """Takes what would be written into a history until it is known to be the last word."""

    def __init__(self) -> None:
        self._notes: list[tuple[str, str, dict[str, Any]]] = []

    def write(self, kind: str, op: str, **fields: Any) -> None:
        """Keep one event."""
        self._notes.append((kind, op, fields))

    def hand_over(self, history: Writer) -> None:
        """Write all of them."""
        for kind, op, fields in self._notes:
            history.write(kind, op, **fields)


def conclude(
    history: Writer,
    item: SaleItem,
    postbox: Letters,
    *,
    seconds: float,
    halfway: Callable[[Writer], None] = lambda _history: None,
) -> bool:
    """Settle and testify of one and the same moment: a deadline may pass between the two, and then again."""
    deadline = time.monotonic() + seconds
    while True:
        left = max(0.0, deadline - time.monotonic())
        is_settled, rows = settle(history, item, seconds=left, halfway=halfway)
        notes = Notes()
        testify(notes, item, postbox)
        if look_at_rows(item) == rows or time.monotonic() > deadline:
            notes.hand_over(history)
            return is_settled


def testify(history: Recorder, item: SaleItem, postbox: Letters) -> None:
    """Write what became of every reservation, payment and letter of the sale."""
    rows = list(Reservation.objects.filter(item=item).select_related("order"))
    for row in sorted(rows, key=lambda row: row.reserved_at):
        _write_row(history, row)
    _write_money(history, item)
    _write_letters(history, item, postbox)


def _write_row(history: Recorder, row: Reservation) -> None:
    times = {
        "reserved": row.reserved_at,
        "recorded": row.recorded_at,
        "ended": row.ended_at,
        "told": row.store_told_at,
    }
    v = {name: _ms(moment) if moment else None for name, moment in times.items()}
    fields = {"rid": row.rid, "item": row.item_id, "user": row.user_id, "epoch": row.epoch}
    place, pay_by = row.standby_number, _ms(row.pay_by)
    history.write("ok", "record", **fields, pay_by=pay_by, outcome=row.status, n=place, v=v)
    if row.promoted:
        history.write("ok", "promote", rid=row.rid, user=row.user_id, n=place)
    if row.status in (Status.EXPIRED, Status.CANCELLED, Status.REFUSED) and row.store_told_at:
        history.write("ok", "release", rid=row.rid)


def _write_money(history: Recorder, item: SaleItem) -> None:
    payments = Payment.objects.filter(order__reservation__item=item, settled_at__isnull=False)
    for payment in payments.select_related("order__reservation"):
        rid = payment.order.reservation.rid
        history.write("ok", "webhook", rid=rid, id=payment.token, amount=payment.amount)
        if payment.status == "refunded":
            history.write("ok", "refund", rid=rid, id=payment.token, amount=payment.amount)


def _write_letters(history: Recorder, item: SaleItem, postbox: Letters) -> None:
    rows = Reservation.objects.filter(item=item)
    rids = {row.rid: row.rid for row in rows}
    orders = {str(row.order.public_id): row.rid for row in rows.select_related("order") if row.order}
    paid = Payment.objects.filter(order__reservation__item=item).select_related("order__reservation")
    payments = {payment.token: payment.order.reservation.rid for payment in paid}
    refs = rids | orders | payments
    known = {mail.message_id(one): one for one in OutboxMail.objects.filter(ref__in=list(refs)).iterator()}
    for at, name in postbox.letters:
        one = known.get(name)
        if one is not None:
            payment = one.ref if one.ref in payments else ""
            kind = KINDS.get(one.kind, one.kind)
            history.write(
                "ok", "mail", t=at, rid=refs[one.ref], outcome=kind, msgid=name, v={"payment": payment}
            )


def close(sale: Sale) -> None:
    """Put a sale that was judged out of everybody's sight."""
    Sale.objects.filter(pk=sale.pk).update(
        state=Sale.State.CLOSED, closes_at=LONG_AGO, opens_at=LONG_AGO - timedelta(hours=1)
    )
    client = get_redis_connection("sale")
    keys = list(client.scan_iter(f"fs:{{{sale.pk}}}:*", count=1000))
    if keys:
        client.delete(*keys)


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
