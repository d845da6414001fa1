"""What was measured: several samples of each figure, their medians, and the bars they are held against."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass


class Figures:
    """Samples by name; a figure is the median of its samples."""

    def __init__(self) -> None:
        self._samples: dict[str, list[float]] = {}
        self._news: list[str] = []

    def add(self, name: str, value: float) -> None:
        """Keep one sample."""
        self._samples.setdefault(name, []).append(float(value))
        self._news.append(f"{name} {rounded(value)}")

    def news(self) -> str:
        """Return what was added since this was last asked, as one line."""
        text, self._news = ", ".join(self._news), []
        return text

    def names(self) -> Iterable[str]:
        """Return the names in the order in which they were first measured."""
        return self._samples.keys()

    def median(self, name: str) -> float | None:
        """Return the median of a figure; None if it was not measured."""
        samples = self._samples.get(name)
        return statistics.median(samples) if samples else None

    def span(self, name: str) -> tuple[float, float]:
        """Return the least and the largest sample. Raises KeyError for what was not measured."""
        return min(self._samples[name]), max(self._samples[name])

    def flat(self) -> dict[str, float]:
        """Return every figure with its `_min` and `_max`, rounded to four digits."""
        found: dict[str, float] = {}
        for name, samples in self._samples.items():
            found[name] = rounded(statistics.median(samples))
            found[f"{name}_min"], found[f"{name}_max"] = rounded(min(samples)), rounded(max(samples))
        return found


def rounded(value: float) -> float:
    """Return whole numbers as such and the rest with four digits that count."""
    return int(value) if value == int(value) else float(f"{value:.4g}")


@dataclass(frozen=True)
class Bar:
    """A figure, or a figure divided by another one, held against a bar and an aim."""

    name: str
    top: str
    bottom: str = ""
    bar: float = 0.0
    aim: float = 0.0
    at_most: bool = False

    def value(self, figures: Figures) -> float | None:
        """Return the value, from medians; None if something of it was not measured."""
        top = figures.median(self.top)
        if not self.bottom or top is None:
            return top
        bottom = figures.median(self.bottom)
        return top / bottom if bottom else None

    def reached(self, value: float, goal: float) -> bool:
        """Whether a value is on the right side of a goal."""
        return value <= goal if self.at_most else value >= goal


BARS = (
    Bar("wins / limit", "wins_rps", "limit_rps", 0.30, 0.5),
    Bar("wins / wins with one call each", "wins_rps", "wins_percall_rps", 2.5, 5),
    Bar("refusals / limit", "refusals_rps", "limit_rps", 0.7, 0.9),
    Bar("refused at the edge / nginx's constant", "edge_refused_rps", "edge_limit_rps", 0.7, 0.9),
    Bar("decisions through the edge / without", "edge_gates_1_rps", "edge_direct_rps", 0.6, 0.8),
    Bar("p99 at half the rate, ms", "half_rate_p99_ms", bar=50, aim=20, at_most=True),
    Bar("orders / orders one by one", "orders_rps", "orders_single_rps", 8, 20),
    Bar("the million: all exact", "million_exact", bar=1, aim=1),
    Bar("the million: seconds", "million_s", bar=60, aim=45, at_most=True),
    Bar("isolation: busy / idle", "isolation_ratio", bar=2, aim=1.5, at_most=True),
    Bar("entry / plain view", "entry_rps", "entry_limit_rps", 0.3, 0.5),
    Bar("bytes per loser", "bytes_per_loser", bar=120, aim=64, at_most=True),
    Bar("bytes per ticket", "bytes_per_ticket", bar=120, aim=64, at_most=True),
    Bar("store operations/s while a line waits", "waiting_ops", bar=0, aim=0, at_most=True),
    Bar("no tie band: share of the fast group", "tie_0_fast_share", bar=0.9, aim=0.99),
    Bar("tie band of 100 ms: fast minus slow", "tie_100_difference", bar=0.2, aim=0.1, at_most=True),
    Bar("live: connections of one process", "live_connections", bar=15_000, aim=18_000),
    Bar("live: KiB a connection", "live_kib_each", bar=28, aim=10, at_most=True),
    Bar("live: a broadcast to 10,000, p99, ms", "broadcast_p99_ms", bar=500, aim=400, at_most=True),
    Bar("live: from press to pushed order, p95, ms", "result_p95_ms", bar=1500, aim=1000, at_most=True),
)
