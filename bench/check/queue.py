"""I8, I18: the order of the line, and the truth of "sold out"."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator

from bench.check.events import MS
from bench.check.history import FOREVER, Call, History

CLOCK_MS = 50
MEMORY_MS = 1100
"""For so long a gate that hears no news may say what it knew last."""


def first_come_first_served(history: History) -> Iterator[str]:
    """I8. If A was answered before B asked, A's number is lower; one number each; nobody is served early."""
    came = _first_asked(history)
    tickets: dict[int, list[Call]] = defaultdict(list)
    places: dict[tuple[int, int], list[Call]] = defaultdict(list)
    for call in sorted(history.attempts, key=lambda call: call.told_at):
        world = history.world_of(call) if call.outcome in ("queued", "standby") else None
        if world is not None and call.end and call.end.n:
            (tickets[world] if call.outcome == "queued" else places[world, call.invoke.item]).append(call)
    for calls in tickets.values():
        yield from _one_each(calls)
        yield from _in_order(calls, "ticket", came)
    for calls in places.values():
        yield from _in_order(calls, "standby number", came)
    if not history.destroyed_at:
        yield from _not_early(history, tickets)


def _first_asked(history: History) -> dict[int, int]:
    """When each shopper asked first: an answer that was lost may have given him his number."""
    came: dict[int, int] = {}
    for call in history.attempts:
        came[call.invoke.user] = min(call.invoke.t, came.get(call.invoke.user, FOREVER))
    return came


def _one_each(calls: Iterable[Call]) -> Iterator[str]:
    numbers: dict[int, int] = {}
    for call in calls:
        if call.end and numbers.setdefault(call.invoke.user, call.end.n) != call.end.n:
            yield f"{call.invoke.user} was told the tickets {numbers[call.invoke.user]} and {call.end.n}"


def _in_order(calls: Iterable[Call], what: str, came: dict[int, int]) -> Iterator[str]:
    """`calls` in the order of their answers; each number counts from its first answer on."""
    firsts: dict[int, Call] = {}
    for call in calls:
        n = call.end.n if call.end else 0
        first = firsts.setdefault(n, call)
        if first.invoke.user != call.invoke.user:
            yield f"{what} {n} was given to {first.invoke.user} and to {call.invoke.user}"
    answered = list(firsts.items())
    highest, at = 0, 0
    for n, call in sorted(answered, key=lambda one: came[one[1].invoke.user]):
        while at < len(answered) and answered[at][1].told_at < came[call.invoke.user]:
            highest = max(highest, answered[at][0])
            at += 1
        if n < highest:
            yield f"{what} {highest} was told before {call.invoke.user} asked, who then got {n}"


def _not_early(history: History, tickets: dict[int, list[Call]]) -> Iterator[str]:
    numbers = {call.invoke.user: call.end.n for calls in tickets.values() for call in calls if call.end}
    schedules = [(event.t, event.v["schedule"]) for event in history.of["rate"]]
    for row in history.rows.values():
        number = numbers.get(row.user)
        if number is None or row.standby or not schedules:
            continue
        at_ms = int(history.sale.v["now"]) + (row.reserved - history.sale.t) // MS
        served = max(_served(schedule, at_ms + CLOCK_MS) for _, schedule in schedules)
        if number > served:
            yield f"{row.user} with ticket {number} was served when {served} were"


def _served(schedule: list[tuple[int, int, int | None]], at_ms: int) -> int:
    started = [segment for segment in schedule if segment[0] <= at_ms]
    if not started:
        return 0
    start, base, rate = started[-1]
    return FOREVER if rate is None else base + (at_ms - start) * rate // 1000


def sold_out_is_true(history: History) -> Iterator[str]:
    """I18. "Sold out" is told only if at some time between question and answer no unit was free."""
    for item in history.items:
        refused = [
            call for call in history.attempts if call.outcome == "sold_out" and call.invoke.item == item
        ]
        if not refused:
            continue
        times, taken = _taken(history, item)
        for call in refused:
            first = max(0, bisect_right(times, call.invoke.t - MEMORY_MS * MS) - 1)
            last = bisect_left(times, call.told_at + CLOCK_MS * MS)
            most = max(taken[first:last], default=0)
            if most < history.quantity(item, call.told_at):
                wanted = history.quantity(item, call.told_at)
                yield f"{call.invoke.user} was told sold out of item {item} with {wanted - most} free"


def _taken(history: History, item: int) -> tuple[list[int], list[int]]:
    """How many units may have been taken, from each of these times (ns) on."""
    rows = [row for row in history.rows.values() if row.item == item]
    steps = [(0, 0)]
    for row in rows:
        end = FOREVER if row.status in ("held", "paid", "displaced") else row.told
        steps += [(row.reserved, 1), (end, -1)]
    times, taken, count = [], [], 0
    for at, change in sorted(steps, key=lambda step: (step[0], -step[1])):
        count += change
        times.append(at)
        taken.append(count)
    return times, taken
