"""I11, I14: money and deadlines."""

from collections import defaultdict
from collections.abc import Iterator

from bench.check.events import MS
from bench.check.history import History, Row

LATE = 12_000
"""After `pay_by` a reservation has ended within so many ms, downtimes not counted."""
CLOCK = 5
NEEDED = ("worker", "beat", "postgres", "store", "broker")


def paid_or_released(history: History) -> Iterator[str]:
    """I11. Paid or released, never both; what was taken and not sent back is the price of what was paid."""
    released = {event.rid for event in history.of["release"]}
    captured: dict[str, dict[str, int]] = defaultdict(dict)
    refunded: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for event in history.of["webhook"]:
        captured[event.rid][event.id] = event.amount
    for event in history.of["refund"]:
        refunded[event.rid].append((event.id, event.amount))
    for row in history.rows.values():
        if row.status == "paid" and row.rid in released:
            yield f"{row.rid} is paid and was released"
        balance = sum(captured[row.rid].values()) - sum(amount for _, amount in refunded[row.rid])
        wanted = int(history.items[row.item]["price"]) if row.status == "paid" else 0
        if balance != wanted:
            yield f"{row.rid} is {row.status}, and {balance} was kept of it instead of {wanted}"
    yield from _refunds(history, captured, refunded)
    yield from _told(history)


def _refunds(
    history: History, captured: dict[str, dict[str, int]], refunded: dict[str, list[tuple[str, int]]]
) -> Iterator[str]:
    told = {event.v.get("payment") for event in history.of["mail"] if event.outcome == "refunded"}
    for rid, found in refunded.items():
        names = [name for name, _ in found]
        yield from (f"{name} of {rid} was sent back twice" for name in set(names) if names.count(name) > 1)
        yield from (f"{name} of {rid} was sent back untold" for name in names if name not in told)
        yield from (
            f"{name} of {rid} was sent back, never taken" for name in names if name not in captured[rid]
        )
    yield from (f"money for {rid}, which does not exist" for rid in captured if rid not in history.rows)


def _told(history: History) -> Iterator[str]:
    """Whoever was told that he paid has his unit or his money back; money that came is told in a mail."""
    mails = {(event.rid, event.outcome) for event in history.of["mail"]}
    for row in history.rows.values():
        if row.status == "paid" and (row.rid, "paid") not in mails:
            yield f"{row.rid} is paid and {row.user} was not told"


def deadlines_hold(history: History) -> Iterator[str]:
    """I14. A reservation expires after its deadline, within 12 s and the downtime of those who expire it."""
    now_ms = int(history.sale.v["now"]) + (history.ended_at - history.sale.t) // MS
    for row in history.rows.values():
        if row.pay_by - row_reserved_ms(history, row) != history.sale.v["pay_within"]:
            yield f"{row.rid} has another time to pay than the sale gives"
        if row.status == "expired" and row.ended_ms < row.pay_by:
            yield f"{row.rid} expired {row.pay_by - row.ended_ms} ms before its deadline"
        if row.status == "paid" and row.ended_ms > row.pay_by + CLOCK:
            yield f"{row.rid} was paid {row.ended_ms - row.pay_by} ms after its deadline"
        if row.status not in ("expired", "held"):
            continue
        ended = row.ended_ms if row.status == "expired" else now_ms
        latest = max(row.pay_by, recorded_ms(history, row)) + LATE + _downtime(history, row, ended)
        if ended > latest:
            yield f"{row.rid} is {row.status} {ended - row.pay_by} ms after its deadline"


def row_reserved_ms(history: History, row: Row) -> int:
    """When it was reserved, by the store's clock (ms)."""
    return int(history.sale.v["now"]) + (row.reserved - history.sale.t) // MS


def recorded_ms(history: History, row: Row) -> int:
    """When its row was written (ms)."""
    return int(history.sale.v["now"]) + (row.recorded - history.sale.t) // MS


def _downtime(history: History, row: Row, ended_ms: int) -> int:
    """How long (ms) somebody was away without whom nothing expires, from the deadline to the end."""
    start, end = history.t_of(row.pay_by), history.t_of(ended_ms)
    total = 0
    for fault, over in history.faults:
        if fault.v.get("component") in NEEDED:
            total += max(0, min(over, end) - max(fault.t, start))
    return total // MS
