"""How much of everything: the full run, and the small one that asserts correctness within a minute."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Counts are of one round; `seconds` is the length of every measurement by time."""

    rounds: int
    seconds: int
    constant_seconds: int
    connections: int
    threads: int
    store_calls: int
    wins: int
    wins_percall: int
    refusals: int
    orders: int
    orders_single: int
    million: int
    units: int
    standby: int
    busy_passes: int
    entry_shoppers: int
    league_units: int
    league_attempts: int
    growth: tuple[int, ...]
    tickets: tuple[int, ...]
    ties: int
    tie_presses: int
    live: int
    live_broadcast: int
    live_other: int
    live_results: int
    live_rate: int


FULL = Sizes(
    rounds=3,
    seconds=3,
    constant_seconds=2,
    connections=256,
    threads=2,
    store_calls=30_000,
    wins=60_000,
    wins_percall=14_000,
    refusals=100_000,
    orders=10_000,
    orders_single=200,
    million=1_000_000,
    units=10_000,
    standby=1_000,
    busy_passes=50_000,
    entry_shoppers=240,
    league_units=240,
    league_attempts=640,
    growth=(1_000, 10_000, 100_000, 1_000_000),
    tickets=(1_000, 100_000, 1_000_000),
    ties=100,
    tie_presses=2,
    live=18_000,
    live_broadcast=10_000,
    live_other=5_000,
    live_results=500,
    live_rate=8_000,
)
SMALL = Sizes(
    rounds=1,
    seconds=1,
    constant_seconds=1,
    connections=32,
    threads=2,
    store_calls=1_000,
    wins=1_000,
    wins_percall=500,
    refusals=1_000,
    orders=500,
    orders_single=50,
    million=5_000,
    units=200,
    standby=50,
    busy_passes=2_000,
    entry_shoppers=10,
    league_units=30,
    league_attempts=200,
    growth=(100, 1_000),
    tickets=(100, 1_000),
    ties=20,
    tie_presses=1,
    live=300,
    live_broadcast=200,
    live_other=100,
    live_results=20,
    live_rate=2_000,
)
