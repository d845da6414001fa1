"""What the gate counts: plain integers on the path, drawn in Prometheus' text only when asked."""

from bisect import bisect_left
from collections import defaultdict

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Histogram:
    """Counts by upper bound, as Prometheus draws them."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count one value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def text(self, name: str) -> list[str]:
        """Draw the histogram as lines."""
        lines, total = [f"# TYPE {name} histogram"], 0
        for bound, count in zip((*self._bounds, "+Inf"), self._counts, strict=True):
            total += count
            lines.append(f'{name}_bucket{{le="{bound}"}} {total}')
        return [*lines, f"{name}_sum {self._sum}", f"{name}_count {total}"]


class Metrics:
    """The gate's counters: every attempt ends in exactly one outcome."""

    def __init__(self) -> None:
        self.outcomes: defaultdict[str, int] = defaultdict(int)
        self.in_flight = 0
        self.went_back = 0
        self._batch_size = Histogram(SIZES)
        self._batch_seconds = Histogram(SECONDS)
        self._seconds = Histogram(SECONDS)

    def batch(self, size: int, seconds: float) -> None:
        """Count a batch and the time of its call."""
        self._batch_size.observe(size)
        self._batch_seconds.observe(seconds)

    def attempt(self, outcome: str, seconds: float) -> None:
        """Count an attempt that was answered, and its time in the gate."""
        self.outcomes[outcome] += 1
        self._seconds.observe(seconds)

    def store_went_back(self) -> None:
        """Count a reply that was older than what the store had said before."""
        self.went_back += 1

    def text(self) -> str:
        """Draw everything for Prometheus."""
        lines = ["# TYPE flashsale_attempts_total counter"]
        lines += [
            f'flashsale_attempts_total{{outcome="{name}"}} {count}'
            for name, count in sorted(self.outcomes.items())
        ]
        lines += ["# TYPE flashsale_gate_in_flight gauge", f"flashsale_gate_in_flight {self.in_flight}"]
        lines += ["# TYPE flashsale_store_went_back_total counter"]
        lines += [f"flashsale_store_went_back_total {self.went_back}"]
        lines += self._batch_size.text("flashsale_gate_batch_size")
        lines += self._batch_seconds.text("flashsale_gate_batch_seconds")
        lines += self._seconds.text("flashsale_gate_seconds")
        return "\n".join(lines) + "\n"
