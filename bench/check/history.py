"""A history, put in order for those who judge it: calls with their ends, reservations, snapshots, faults."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from bench.check.events import CALLS, MS, Event, HistoryError

FOREVER = 2**63
UNSURE = frozenset({"lost", "unknown", "paused", "error"})
"""Outcomes of an attempt after which it may have been decided all the same: `paused` also says that the store
did not answer in time."""
STORES = ("store", "rows")


@dataclass(frozen=True, slots=True)
class Call:
    """What one client asked and was told; `end` is None where no answer came."""

    invoke: Event
    end: Event | None

    @property
    def is_sure(self) -> bool:
        """Whether the answer is definite."""
        return self.end is not None and self.end.kind == "ok" and self.end.outcome not in UNSURE

    @property
    def told_at(self) -> int:
        """When the answer came (ns); for ever where none did."""
        return self.end.t if self.is_sure and self.end else FOREVER

    @property
    def outcome(self) -> str:
        """What was told; `unknown` for no definite answer."""
        return self.end.outcome if self.is_sure and self.end else "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """A reservation as the rows know it at the end; times in ns on the history's clock."""

    rid: str
    user: int
    item: int
    epoch: int
    pay_by: int
    status: str
    standby: int
    reserved: int
    recorded: int
    ended: int
    ended_ms: int
    told: int

    @property
    def number(self) -> int:
        """The last part of its name: counts the item's reservations of one epoch."""
        return int(self.rid.split("-")[2])

    @property
    def is_released(self) -> bool:
        """Whether its unit is another's now."""
        return self.status in ("expired", "cancelled", "refused")


class History:
    """The events of one run of one sale. Raises HistoryError where there is nothing to judge."""

    def __init__(self, events: Sequence[Event]) -> None:
        if not events:
            raise HistoryError("The history is empty: nothing was proven.")
        heads = [event for event in events if event.op == "sale"]
        if len(heads) != 1 or not any(event.op == "end" for event in events):
            raise HistoryError("A history has one sale at its beginning and one end: this one was cut off.")
        self.events, self.sale = events, heads[0]
        self.ended_at = max(event.t for event in events if event.op == "end")
        self.of: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            self.of[event.op].append(event)
        self.calls = list(self._pair())
        self.attempts = [call for call in self.calls if call.invoke.op == "attempt"]
        if not any(call.is_sure for call in self.attempts):
            raise HistoryError("No attempt of this history has a definite answer: nothing was proven.")
        self.rows = {event.rid: self._row(event) for event in self.of["record"]}
        if len(self.rows) != len(self.of["record"]):
            raise HistoryError("Two rows have one name: no database wrote that.")

    def _pair(self) -> Iterator[Call]:
        invokes: dict[str, Event] = {}
        ends: dict[str, Event] = {}
        for event in self.events:
            if not event.id or event.op not in CALLS:
                continue
            found = invokes if event.kind == "invoke" else ends
            if event.id in found:
                raise HistoryError(f"The call {event.id} begins or ends twice.")
            found[event.id] = event
        if set(ends) - set(invokes):
            raise HistoryError(f"Answers without a question: {sorted(set(ends) - set(invokes))[:3]}.")
        for name, invoke in invokes.items():
            end = ends.get(name)
            if end is not None and (end.op, end.user, end.item) != (invoke.op, invoke.user, invoke.item):
                raise HistoryError(f"The answer of call {name} is another call's.")
            if end is not None and end.t < invoke.t:
                raise HistoryError(f"Call {name} was answered before it was asked.")
            yield Call(invoke, end)

    def world_of(self, call: Call) -> int | None:
        """Which store decided a call: counts losses and rebuilds before it; None for one in between."""
        turns = sorted([*self.destroyed_at, *self.put_back_at, *(event.t for event in self.of["rebuild"])])
        before, after = bisect_left(turns, call.invoke.t), bisect_left(turns, call.told_at)
        return before if before == after else None

    def t_of(self, ms: int) -> int:
        """Put a server's time (ms since 1970) on the history's clock (ns)."""
        return self.sale.t + (ms - int(self.sale.v["now"])) * MS

    def _row(self, event: Event) -> Row:
        times = {name: event.v.get(name) or 0 for name in ("reserved", "recorded", "ended", "told")}
        at = {name: self.t_of(ms) if ms else FOREVER for name, ms in times.items()}
        if not event.rid.startswith(f"{event.item}-{event.epoch}-"):
            raise HistoryError(f"The name of {event.rid} is not of item {event.item}, epoch {event.epoch}.")
        return Row(
            rid=event.rid,
            user=event.user,
            item=event.item,
            epoch=event.epoch,
            pay_by=event.pay_by,
            status=event.outcome,
            standby=event.n,
            ended_ms=times["ended"],
            **at,
        )

    @cached_property
    def items(self) -> dict[int, dict[str, Any]]:
        """What each item is: quantity, price."""
        return {int(item): facts for item, facts in self.sale.v["items"].items()}

    def quantity(self, item: int, at: int) -> int:
        """Units put into the sale until `at` (ns)."""
        added = [event.n for event in self.of["add"] if event.item == item and event.t <= at]
        return int(self.items[item]["quantity"]) + sum(added)

    @cached_property
    def acknowledged(self) -> dict[str, list[Call]]:
        """The calls that were told "reserved", by reservation, in the order of the answers."""
        found: dict[str, list[Call]] = defaultdict(list)
        for call in self.attempts:
            if call.outcome == "reserved" and call.end:
                second = f"{call.end.rid}-{call.invoke.user}"  # the name was another's before
                found[second if second in self.rows else call.end.rid].append(call)
        return {rid: sorted(calls, key=lambda call: call.told_at) for rid, calls in found.items()}

    @cached_property
    def final(self) -> dict[str, dict[str, Any]]:
        """The last snapshot of each store. Raises HistoryError if one is missing."""
        found = {event.v["store"]: event.v for event in self.of["snapshot"] if event.v.get("final")}
        if not set(STORES) <= set(found):
            raise HistoryError("The last snapshots of both stores are missing.")
        return found

    @cached_property
    def faults(self) -> list[tuple[Event, int]]:
        """Each fault with the time (ns) at which it was over."""
        ends = {event.id: event.t for event in self.of["fault"] if event.kind == "ok"}
        begins = [event for event in self.of["fault"] if event.kind == "invoke"]
        return [(event, ends.get(event.id, self.ended_at)) for event in begins]

    def faults_between(self, start: int, end: int, *components: str) -> list[Event]:
        """Faults of these components, or of any, that touch the time from `start` to `end` (ns)."""
        return [
            fault
            for fault, over in self.faults
            if fault.t <= end and over >= start and (not components or fault.v.get("component") in components)
        ]

    @cached_property
    def destroyed_at(self) -> list[int]:
        """When data of the store was destroyed: it was emptied, or an older copy put back."""
        return [fault.t for fault, _ in self.faults if fault.v.get("destroys")]

    @cached_property
    def put_back_at(self) -> list[int]:
        """When the store was down in the middle of that: an older copy is put back after it was taken."""
        destroying = [(fault.t, over) for fault, over in self.faults if fault.v.get("destroys")]
        return [
            fault.t
            for fault, _ in self.faults
            if fault.v.get("component") == "store"
            and any(start < fault.t < over for start, over in destroying)
        ]

    def is_lost(self, at: int) -> bool:
        """Whether data of the store was destroyed before `at` (ns) and it is not built anew yet."""
        lost = max((moment for moment in self.destroyed_at if moment <= at), default=0)
        rebuilt = [event.t for event in self.of["rebuild"] if event.kind == "ok"]
        return bool(lost) and not any(lost < moment <= at for moment in rebuilt)
