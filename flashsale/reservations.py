"""How a reservation ends: paid, expired or given back. Owns every transaction of it.

A release frees once: the row is flipped first (compare and set under the order's lock), then the store is
told, by rid and safe to repeat; what a crash leaves between the two is told later by `tell_store`.
Lock order: order, reservation, sale item.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now
from redis.exceptions import RedisError

from accounts.models import User
from flashsale import letters, results, standby, stock
from flashsale.models import Reservation, SaleItem
from flashsale.results import Result
from shop.orders import endings, outbox
from shop.orders.models import Order, OutboxMail
from shop.orders.outbox import Letter

logger = logging.getLogger(__name__)
BATCH = 500
Status = Reservation.Status
ENDINGS = {
    Status.PAID: "paid",
    Status.EXPIRED: "expired",
    Status.CANCELLED: "given_back",
    Status.DISPLACED: "displaced",
    Status.REFUSED: "refused",
}


class SaleHold:
    """How the shop's payment and cancelling reach the units that a sale holds (see `shop.orders.holds`)."""

    def pay(self, *, order: Order) -> bool:
        """The money has come: the unit is paid; False if it is not held any more. The order is locked."""
        # Asked once more by the statement that writes when it was paid: no row says that this was too late.
        row = _flip(order, Status.PAID, pay_by__gte=Now())
        if row is None:
            return False
        SaleItem.objects.filter(pk=row.item_id).update(held=F("held") - 1, paid=F("paid") + 1)
        _tell_after_commit(row)
        transaction.on_commit(standby.close_all_paid, robust=True)
        return True

    def release(self, *, order: Order) -> None:
        """The order was cancelled: its unit is free for the next. The order is locked."""
        row = _flip(order, Status.CANCELLED)
        if row is not None:
            SaleItem.objects.filter(pk=row.item_id).update(held=F("held") - 1)
            _tell_after_commit(row)

    def ids(self, *, order: Order) -> dict[str, object]:
        """The reservation, the sale and the order, as the log names them."""
        row = Reservation.objects.filter(order=order).select_related("item").first()
        return {"rid": row and row.rid, "sale": row and row.item.sale_id, "order": order.number}


def give_back(*, user: User, rid: str) -> None:
    """A shopper gives his unit back before he has paid it; it goes to the next at once.

    Raises Reservation.DoesNotExist for somebody else's, and shop.orders.errors.NotCancellable for an
    ended one.
    """
    row = Reservation.objects.select_related("order").get(user=user, rid=rid, order__isnull=False)
    endings.cancel(order=row.order)  # type: ignore[arg-type]


def expire_due(*, limit: int = BATCH) -> int:
    """Expire the reservations whose deadline has passed by PostgreSQL's clock; return how many."""
    with transaction.atomic(durable=True):
        # A payment that is being settled right now holds its order's lock: it is passed over here, and either
        # it has paid the unit by the next look or it has not.
        due = Order.objects.filter(hold=Order.Hold.SALE, status=Order.Status.AWAITING_PAYMENT)
        due = due.filter(reservation__status=Status.HELD, reservation__pay_by__lt=Now())
        orders = due.select_for_update(of=("self",), skip_locked=True, no_key=True).order_by("pk")
        ids = list(orders.values_list("pk", flat=True)[:limit])
        rows = list(
            Reservation.objects.filter(order__in=ids, status=Status.HELD)
            .select_related("item__sale", "item__variant__product", "user", "order")
            .order_by("pk")
        )
        _expire(rows)
    for row in rows:
        note(row, sale=row.item.sale_id)
    tell_store(ids=[row.pk for row in rows])
    return len(rows)


def tell_store(*, ids: Sequence[int] | None = None, limit: int = BATCH) -> int:
    """Tell the store how reservations ended, then their shoppers; return how many the store was told.

    Without `ids`, those that a crash left untold. Telling twice changes nothing: the store compares the rid.
    """
    rows = Reservation.objects.exclude(status=Status.HELD).filter(store_told_at__isnull=True)
    rows = rows.select_related("item").order_by("ended_at", "pk")
    if ids is None:
        found = list(rows.filter(ended_at__lt=Now() - timedelta(seconds=1))[:limit])
    else:
        found = list(rows.filter(pk__in=ids))
    try:
        replies = stock.run_all([_call(row) for row in found])
    except RedisError as error:
        logger.warning("The store could not be told of %d reservations: %s", len(found), error)
        return 0
    told = [row for row, reply in zip(found, replies, strict=True) if reply is not None]
    Reservation.objects.filter(pk__in=[row.pk for row in told]).update(store_told_at=Now())
    results.tell([result_of(row, sale=row.item.sale_id) for row in told])
    return len(told)


def result_of(row: Reservation, *, sale: int) -> Result:
    """What the present state of a reservation is for its shopper."""
    pay_by = int(row.pay_by.timestamp() * 1000) if row.status == Status.HELD else 0
    return Result(sale, row.user_id, _kind(row), row.item_id, rid=row.rid, pay_by=pay_by)


def note(row: Reservation, *, sale: int) -> None:
    """Log what has become of a reservation; call it once its state is committed."""
    order = row.order.number if row.order else ""
    logger.info("reservation %s", _kind(row), extra={"rid": row.rid, "sale": sale, "order": order})


def _kind(row: Reservation) -> str:
    return ENDINGS.get(Status(row.status)) or ("promoted" if row.promoted else "ready")


def _call(row: Reservation) -> stock.Call[object]:
    call: stock.Call[object]
    if row.status == Status.PAID:
        call = stock.pay(row.item.sale_id, row.item_id, user=row.user_id, rid=row.rid)  # type: ignore[assignment]
    else:
        call = stock.release(row.item.sale_id, row.item_id, user=row.user_id, rid=row.rid)  # type: ignore[assignment]
    return call


def _flip(order: Order, status: str, **only_if: object) -> Reservation | None:
    """Move the order's held reservation to `status`; None if somebody else has ended it before."""
    held = Reservation.objects.filter(order=order, status=Status.HELD, **only_if)
    if held.update(status=status, ended_at=Now()) != 1:
        return None
    return Reservation.objects.select_related("item", "order").get(order=order)


def _expire(rows: Sequence[Reservation]) -> None:
    held = Reservation.objects.filter(pk__in=[row.pk for row in rows], status=Status.HELD)
    held.update(status=Status.EXPIRED, ended_at=Now())
    for row in rows:
        row.status = Status.EXPIRED
    Order.objects.filter(pk__in=[row.order_id for row in rows]).update(status=Order.Status.EXPIRED)
    for pk, count in sorted(Counter(row.item_id for row in rows).items()):
        SaleItem.objects.filter(pk=pk).update(held=F("held") - count)
    outbox.put_all(
        Letter(
            ref=row.rid,
            kind=OutboxMail.Kind.EXPIRED,
            to=row.user.email,
            language=row.user.language,
            context=letters.context(row.item, row),
        )
        for row in rows
    )


def _tell_after_commit(row: Reservation) -> None:
    # Only the quick way: should the process die before it, the sweep tells the store a second later.
    transaction.on_commit(partial(note, row, sale=row.item.sale_id))
    transaction.on_commit(partial(tell_store, ids=[row.pk]))
