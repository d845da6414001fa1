"""The ways people sell limited stock from Django, each a few honest lines.

Every variant is called with a shopper's number and says whether that shopper got a unit. It sells item 1
and leaves one row in `bench_order` for each unit sold, so that the rows tell who oversold.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bench.league import guarded, locked, memory, naive


@dataclass(frozen=True)
class Variant:
    """`is_durable`: the decision, and the order, are on disk before the shopper is told."""

    title: str
    buy: Callable[[int], bool]
    is_durable: bool = True


VARIANTS = {
    "naive": Variant("ORM: read, then write", naive.read_then_write),
    "f_update": Variant("ORM: read, then `F()` update", naive.f_update),
    "guarded_first": Variant("guarded UPDATE, then the order", guarded.guard_first),
    "guarded_last": Variant("the order, then guarded UPDATE", guarded.guard_last),
    "version": Variant("version column, with retry", guarded.version_column),
    "serializable": Variant("SERIALIZABLE, with retry", locked.serializable),
    "for_update": Variant("select_for_update", locked.select_for_update),
    "advisory": Variant("advisory lock and count", locked.advisory_lock),
    "skip_locked": Variant("one row a unit, SKIP LOCKED", locked.skip_locked),
    "decr": Variant("Redis DECR from the view", memory.decrement, is_durable=False),
    "lua": Variant("Lua script a request", memory.script),
}
