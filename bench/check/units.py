"""I1, I2, I3, I9, I10: every unit is somewhere, once."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any

from bench.check.history import FOREVER, STORES, History, Row

PLACES = ("free", "held", "paid", "returned")


def adds_up(history: History) -> Iterator[str]:
    """I1. Every snapshot, each store: free >= 0, all places add up to the quantity, held = live ones."""
    for event in history.of["snapshot"]:
        where = event.v["store"]
        for name, found in event.v.get("items", {}).items():
            total, wanted = sum(found[place] for place in PLACES), history.quantity(int(name), event.t)
            if min(found[place] for place in PLACES) < 0 or total != wanted:
                yield f"item {name} in the {where}: {_words(found)}, of {wanted}"
            if found["held"] != len(found["live"]):
                yield f"item {name} in the {where}: {len(found['live'])} named, not {found['held']}"


def stores_agree(history: History) -> Iterator[str]:
    """I2. At the end both stores tell the same of every unit and nothing is on its way between them."""
    store, rows = (history.final[name] for name in STORES)
    for name, there in rows["items"].items():
        here = store["items"].get(name)
        if here is None:
            yield f"item {name} is not in the store"
        elif here["live"] != there["live"] or any(here[place] != there[place] for place in PLACES):
            differing = set(here["live"].items()) ^ set(there["live"].items())
            yield f"item {name}: store {_words(here)}, rows {_words(there)}; {sorted(differing)[:4]}"
        elif here["standby"] != there["standby"]:
            yield f"item {name}: standby {here['standby']} in the store, {there['standby']} in the rows"
    yield from (f"{rows[name]} {name} at the end" for name in ("backlog", "outbox", "untold") if rows[name])
    yield from _rows_match_the_last_look(history, rows)
    yield from _names_mean_the_same(history)


def _names_mean_the_same(history: History) -> Iterator[str]:
    """A name that any look at a store has found is that of the same shopper and deadline at the end.

    An older copy that was put back may promote the same shopper once more, later: only the rows count then,
    and from them it is built anew.
    """
    looks = history.of["snapshot"]
    for event in (look for look in looks if look.v["store"] == "rows" or not history.is_lost(look.t)):
        for found in event.v.get("items", {}).values():
            for rid, holder in found["live"].items():
                row = history.rows.get(rid)
                if row is not None and holder != f"{row.user} {row.pay_by}":
                    yield f"{rid} was {holder} in the {event.v['store']} and is {row.user} {row.pay_by}"


def _rows_match_the_last_look(history: History, rows: dict[str, Any]) -> Iterator[str]:
    for name, found in rows["items"].items():
        held = {
            row.rid: f"{row.user} {row.pay_by}"
            for row in history.rows.values()
            if row.item == int(name) and row.status == "held"
        }
        paid = sum(row.item == int(name) and row.status == "paid" for row in history.rows.values())
        if held != found["live"] or paid != found["paid"]:
            yield f"item {name}: the rows count {_words(found)} and list {len(held)} held, {paid} paid"


def never_oversold(history: History) -> Iterator[str]:
    """I3. At no time do more shoppers know that they hold a unit than there are; the unknown hold nothing."""
    steps: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for rid, calls in history.acknowledged.items():
        row, first = history.rows.get(rid), calls[0]
        if row is not None and row.status == "displaced" and history.destroyed_at:
            continue  # judged by I4
        end = row.ended if row is not None and row.status != "paid" else FOREVER
        if first.told_at < end:
            steps[first.invoke.item] += [(first.told_at, 1), (end, -1)]
    yield from _too_many(history, steps, "shoppers were told that they hold a unit")


def a_release_frees_once(history: History) -> Iterator[str]:
    """I10. A unit is given away after its last owner's end, and a reservation is released at most once."""
    released = Counter(event.rid for event in history.of["release"])
    yield from (f"{rid} was released {count} times" for rid, count in released.items() if count > 1)
    ended = {row.rid for row in history.rows.values() if row.is_released}
    yield from (f"{rid} was released and has not ended" for rid in set(released) - ended)
    successors: dict[str, list[str]] = defaultdict(list)
    for event in history.of["promote"]:
        before = history.rows.get(event.v.get("from", ""))
        if before is None and "from" in event.v:
            yield f"{event.rid} got the unit of {event.v['from']}, which does not exist"
        if before is not None:
            successors[before.rid].append(event.rid)
            if not before.is_released or before.ended > event.t:
                yield f"{before.rid} still had its unit when {event.rid} got it"
    yield from (f"the unit of {rid} went to {names}" for rid, names in successors.items() if len(names) > 1)
    steps: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in history.rows.values():
        if row.status != "displaced":
            end = row.ended if row.status != "paid" else FOREVER
            steps[row.item] += [(row.reserved, 1), (end, -1)]
    yield from _too_many(history, steps, "owners had a unit")


def _too_many(history: History, steps: dict[int, list[tuple[int, int]]], what: str) -> Iterator[str]:
    for item, changes in steps.items():
        owners = 0
        for at, change in sorted(changes):  # at one instant ends come before beginnings
            owners += change
            if owners > history.quantity(item, at):
                yield f"item {item}: {owners} {what} at {at / 1e9:.3f}, of {history.quantity(item, at)}"
                break


def standby_moves_up(history: History) -> Iterator[str]:
    """I9. No unit is free while somebody stands by; promotions go in the order of standby."""
    for event in history.of["snapshot"]:
        for name, found in event.v.get("items", {}).items():
            if event.v["store"] == "store" and found["free"] > 0 and found["standby"]:
                yield f"item {name}: {found['free']} free while {len(found['standby'])} stand by"
    for event in history.of["promote"]:
        row = history.rows.get(event.rid)
        if row is None or (row.user, row.standby) != (event.user, event.n):
            yield f"{event.rid} was promoted for {event.user}, number {event.n}, and is {row}"
    for item in history.items:
        yield from _in_order(history, item)


def _in_order(history: History, item: int) -> Iterator[str]:
    """Another world may promote a place again whose promotion was displaced; the same one may not."""
    promoted = sorted((row for row in history.rows.values() if row.item == item and row.standby), key=_order)
    stayed = [row for row in promoted if _stayed(row)]
    later_worlds = [pair for pair in pairwise(stayed) if pair[0].epoch != pair[1].epoch]
    for before, after in [*_of_one_world(history, promoted), *later_worlds]:
        if after.standby <= before.standby:
            yield f"item {item}: standby {before.standby} was promoted before {after.standby}"
    yield from _passed_over(history, item, stayed)


def _stayed(row: Row) -> bool:
    """Whether a promotion lasted: who lost it to a rebuild still stands by, and is promoted again."""
    return row.status != "displaced"


def _of_one_world(history: History, promoted: list[Row]) -> Iterator[tuple[Row, Row]]:
    """Pairs that follow each other in one epoch of a store whose data was not destroyed between them."""
    for before, after in pairwise(promoted):
        destroyed = any(
            fault.v.get("destroys") for fault in history.faults_between(before.reserved, after.reserved)
        )
        if before.epoch == after.epoch and not destroyed:
            yield before, after


def _order(row: Row) -> tuple[int, int, int]:
    return row.epoch, row.reserved, row.number


def _passed_over(history: History, item: int, promoted: Iterable[Row]) -> Iterator[str]:
    """Whoever still waits at the end must come after everybody who was promoted."""
    highest = max((row.standby for row in promoted), default=0)
    waiting = history.final["rows"]["items"][str(item)]["standby"]
    for user, number in waiting.items():
        if number < highest:
            yield f"item {item}: {user} waits with number {number}, number {highest} was promoted"


def _words(found: dict[str, Any]) -> str:
    return ", ".join(f"{place} {found[place]}" for place in PLACES)
