"""Reads the gate's own counters, as Prometheus would."""

import re
from collections import Counter
from http.client import HTTPConnection

LINE = re.compile(r'^(\w+)(?:\{\w+="([^"]*)"\})? (\S+)$', re.MULTILINE)


class Counts(Counter[tuple[str, str]]):
    """Counters by name and label; the difference of two keeps what did not grow."""

    def __sub__(self, other: "Counter[tuple[str, str]]") -> "Counts":
        return Counts({key: self[key] - other[key] for key in self})


def read(address: str) -> Counts:
    """Ask a gate for its metrics. Raises OSError if it does not answer within five seconds."""
    connection = HTTPConnection(address, timeout=5)
    try:
        connection.request("GET", "/gate/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    return Counts({(name, label): float(value) for name, label, value in LINE.findall(text)})


def histogram(counts: Counts, name: str) -> dict[str, float]:
    """Return how many observations fell into each bucket, by its upper bound."""
    found, below = {}, 0.0
    for (key, label), total in counts.items():
        if key == f"{name}_bucket":
            found[label], below = total - below, total
    return found


def outcomes(counts: Counts) -> dict[str, float]:
    """Return how many attempts ended in each outcome."""
    return {label: count for (key, label), count in counts.items() if key == "flashsale_attempts_total"}
