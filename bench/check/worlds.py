"""I15, I16, I17: worlds that are over do not act, what is closed sells nothing, and everything heals."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from bench.check.events import MS, Event
from bench.check.history import FOREVER, History

NEWS = 2000 * MS
"""How long a process may believe what it last knew of the store (ns)."""


def no_way_back(history: History) -> Iterator[str]:
    """I15. Epoch and sequence never fall for anybody, or sales stop; nothing old acts after a rebuild."""
    last: dict[str, Event] = {}
    for event in history.of["status"]:
        before = last.get(event.proc)
        if before and event.seq and (event.epoch, event.seq) < (before.epoch, before.seq):
            yield from _sold_after_a_fall(history, event, before)
        if event.seq:
            last[event.proc] = event
    yield from _old_effects(history)


def _old_effects(history: History) -> Iterator[str]:
    rebuilt = [(event.t, event.epoch) for event in history.of["rebuild"] if event.kind == "ok"]
    for before, after in pairwise([(0, history.sale.epoch), *rebuilt]):
        if after[1] <= before[1]:
            yield f"the epoch went from {before[1]} to {after[1]}"
    known = {history.sale.epoch, *(event.epoch for event in history.of["rebuild"])}
    for row in history.rows.values():
        newer = [epoch for at, epoch in rebuilt if at < row.recorded and epoch > row.epoch]
        if newer and row.status != "displaced":
            yield f"{row.rid} was recorded as {row.status} under epoch {max(newer)}"
        if row.epoch not in known:
            yield f"{row.rid} is of an epoch that never was"


def _sold_after_a_fall(history: History, event: Event, before: Event) -> Iterator[str]:
    rebuilds = [rebuild.t for rebuild in history.of["rebuild"] if rebuild.t > event.t]
    until = min(rebuilds, default=FOREVER)
    sold = [
        call
        for call in history.attempts
        if call.outcome == "reserved"
        and call.end
        and call.end.v.get("first")
        and event.t + NEWS < call.invoke.t
        and call.told_at < until
    ]
    if sold:
        yield f"sales went on after the store fell from {before.seq} to {event.seq}: {sold[0].end}"
    elif not history.destroyed_at:
        yield f"the store fell from {before.epoch}-{before.seq} to {event.epoch}-{event.seq} by itself"


def closed_is_closed(history: History) -> Iterator[str]:
    """I16. While the sale is paused, over or not yet open nobody gets a new reservation."""
    opens, closes = (int(history.sale.v[name]) for name in ("opens_at", "closes_at"))
    spans = list(_pauses(history))
    for call in history.attempts:
        if call.outcome != "reserved" or not call.end or not call.end.v.get("first"):
            continue
        reserved = call.end.pay_by - int(history.sale.v["pay_within"])
        if not opens <= reserved < closes:
            yield f"{call.end.rid} was reserved at {reserved}, outside the sale"
        if any(start < call.invoke.t and call.told_at < end for start, end in spans):
            yield f"{call.end.rid} was reserved while the sale was paused"


def _pauses(history: History) -> Iterator[tuple[int, int]]:
    """From a pause that was confirmed to the moment at which somebody asked to resume."""
    resumes = [event.t for event in history.of["resume"] if event.kind == "invoke"]
    for event in history.of["pause"]:
        if event.kind == "ok":
            yield event.t, min((at for at in resumes if at > event.t), default=FOREVER)


def everything_heals(history: History) -> Iterator[str]:
    """I17. After all faults are over a shopper gets a definite answer, and nothing waits for its row."""
    healed = max((event.t for event in history.of["heal"]), default=0)
    if not healed or any(fault.t < healed < over for fault, over in history.faults):
        yield "a fault was never healed"
    probes = [call for call in history.attempts if call.invoke.v.get("probe") and call.invoke.t > healed]
    answered: dict[bool, int] = defaultdict(int)
    for call in probes:
        answered[call.is_sure] += 1
    if not answered[True]:
        yield f"after the heal none of {len(probes)} shoppers got a definite answer"
    oldest = history.final["rows"]["oldest_ms"]
    if oldest > 5000:
        yield f"a reservation waited {oldest} ms for its row at the end"
