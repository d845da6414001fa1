"""What a live process counts."""

from collections import Counter

from flashsale.gate.metrics import SECONDS, Histogram

ROLE = "live"
"""Under this name each process tells `shop.processes` how many streams are open and how many may be."""


class Metrics:
    """Connections, what was told, whom we turned away or dropped, and how long a broadcast took."""

    def __init__(self) -> None:
        self.connections = 0
        self.events: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.refused: Counter[int] = Counter()
        self._broadcast = Histogram(SECONDS)

    def broadcast(self, seconds: float) -> None:
        """Count a broadcast and its time."""
        self._broadcast.observe(seconds)

    def text(self) -> str:
        """Draw everything for Prometheus."""
        lines = ["# TYPE flashsale_live_connections gauge", f"flashsale_live_connections {self.connections}"]
        for name, label, counts in (
            ("events", "event", self.events),
            ("dropped", "why", self.dropped),
            ("refused", "status", self.refused),
        ):
            lines.append(f"# TYPE flashsale_live_{name}_total counter")
            lines += [
                f'flashsale_live_{name}_total{{{label}="{key}"}} {count}'
                for key, count in sorted(counts.items())
            ]
        lines += self._broadcast.text("flashsale_live_broadcast_seconds")
        return "\n".join(lines) + "\n"
