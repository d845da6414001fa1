"""I4, I5, I6, I7: who was told something got it, and nobody else did."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from bench.check.events import MS
from bench.check.history import FOREVER, Call, History, Row

CLOCK = 10 * MS
"""How far the clocks of two processes may be apart, and how coarse a server's ms are (ns)."""
ENDS = frozenset({"held", "paid", "expired", "cancelled", "refused", "displaced"})


def nobody_is_forgotten(history: History) -> Iterator[str]:
    """I4. Whoever was told "reserved" has one row; one that did not fit is told, and only after a loss."""
    for rid, calls in history.acknowledged.items():
        row, call = history.rows.get(rid), calls[0]
        if row is None:
            yield f"{rid} was acknowledged to {call.invoke.user} and has neither a row nor an end"
        elif (row.user, row.item) != (call.invoke.user, call.invoke.item):
            yield f"{rid} was acknowledged to {call.invoke.user} and recorded for {row.user}"
    told = {(event.rid, event.outcome) for event in history.of["mail"]}
    for row in history.rows.values():
        if row.status not in ENDS:
            yield f"{row.rid} has no named end: {row.status}"
        if (
            row.status in ("expired", "cancelled", "refused", "displaced")
            and (row.rid, row.status) not in told
        ):
            yield f"{row.rid} is {row.status} and {row.user} was not told"
        if row.status == "displaced" and not any(at <= row.recorded for at in history.destroyed_at):
            yield f"{row.rid} is displaced, though no data of the store was destroyed"


def displaced(history: History) -> int:
    """Count the reservations that a loss of the store's data took from shoppers: printed, never hidden."""
    return sum(row.status == "displaced" for row in history.rows.values())


def nobody_unasked(history: History) -> Iterator[str]:
    """I5. Every row has its attempt: told so or unknown, and asked before the row; or a place on standby."""
    asked: dict[tuple[int, int], list[Call]] = defaultdict(list)
    for call in history.attempts:
        asked[call.invoke.user, call.invoke.item].append(call)
    for row in history.rows.values():
        calls = [call for call in asked[row.user, row.item] if call.invoke.t <= row.recorded + CLOCK]
        if not any(_may_have_made(call, row) for call in calls):
            yield f"{row.rid} of {row.user} comes from nowhere: {[call.outcome for call in calls][:5]}"


def _may_have_made(call: Call, row: Row) -> bool:
    if not call.is_sure:
        return call.invoke.t <= row.reserved + CLOCK
    if row.standby:
        return call.outcome in ("standby", "reserved")
    names = (row.rid, row.rid.removesuffix(f"-{row.user}")) if row.status == "displaced" else (row.rid,)
    return call.end is not None and call.end.rid in names and call.invoke.t <= row.reserved + CLOCK


def one_live_reservation(history: History) -> Iterator[str]:
    """I6. One shopper holds one unit of an item at a time, under one name and with one deadline."""
    for rid, calls in history.acknowledged.items():
        row = history.rows.get(rid)
        deadlines = {call.end.pay_by for call in calls if call.end} | ({row.pay_by} if row else set())
        if len(deadlines) > 1:
            yield f"{rid} has the deadlines {sorted(deadlines)}"
        if len({call.invoke.user for call in calls}) > 1:
            yield f"{rid} was told to {sorted({call.invoke.user for call in calls})}"
    for (user, item), found in _spans(history).items():
        for before, after in pairwise(sorted(found)):
            if after[0] < before[1]:
                yield f"{user} had {before[2]} and {after[2]} of item {item} at once"
    yield from _more_than_allowed(history)


def _spans(history: History) -> dict[tuple[int, int], list[tuple[int, int, str]]]:
    """From when to when each shopper had which reservation of each item."""
    spans: dict[tuple[int, int], list[tuple[int, int, str]]] = defaultdict(list)
    for rid, calls in history.acknowledged.items():
        if rid not in history.rows:
            spans[calls[0].invoke.user, calls[0].invoke.item].append((calls[0].told_at, FOREVER, rid))
    for row in history.rows.values():
        if row.status != "displaced" or not history.destroyed_at:
            spans[row.user, row.item].append((row.reserved, row.ended, row.rid))
    return spans


def _more_than_allowed(history: History) -> Iterator[str]:
    bought: dict[tuple[int, int], int] = defaultdict(int)
    for row in history.rows.values():
        bought[row.user, row.item] += row.status == "paid"
    for (user, item), count in bought.items():
        if count > history.items[item].get("limit", 1):
            yield f"{user} bought {count} of item {item}"


def only_with_a_pass(history: History) -> Iterator[str]:
    """I7. Who reserved or took a place had a pass of this sale and region, and was not blocked."""
    for call in history.attempts:
        kind = call.invoke.v.get("pass")
        if call.outcome in ("reserved", "standby", "queued") and kind != "good":
            yield f"{call.invoke.user} was told {call.outcome} with a pass that is {kind}"
        if call.outcome == "refused" and kind == "good":
            yield f"{call.invoke.user} was refused with a good pass"
