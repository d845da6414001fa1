"""The pictures of docs/performance.md, drawn from what the last round saw."""

from collections.abc import Callable, Sequence
from math import log10
from pathlib import Path
from typing import Any

from bench.charts import Panel, Points, draw, seconds_ticks
from bench.sampling import Sample

WINDOW = 0.5
NINES = {50.0: "50 %", 90.0: "90 %", 99.0: "99 %", 99.9: "99.9 %", 99.99: "99.99 %"}
TITLES = {
    "wins": "wins",
    "half": "wins, half the rate",
    "wins_percall": "one call each",
    "refusals": "refusals",
}


PUSHED = {"broadcast": "a change", "result": "an order"}


def draw_all(pictures: dict[str, Any], folder: Path) -> None:
    """Draw those pictures for which this run has seen something."""
    if pictures.get("million"):
        _million(pictures["million"], folder)
    if pictures.get("batches"):
        _batches(pictures["batches"], folder)
    for name, titles, title in (
        ("latency.svg", TITLES, "Time to the answer"),
        ("live.svg", PUSHED, "Time until a page was told by itself"),
    ):
        curves = {words: pictures[key] for key, words in titles.items() if key in pictures}
        if curves:
            _latencies(curves, folder / name, title)


def _million(samples: Sequence[Sample], folder: Path) -> None:
    def rates(of: Callable[[Sample], float]) -> Points:
        return _rates([(sample.at, of(sample)) for sample in samples])

    ticks = seconds_ticks(samples[-1].at)
    layers = [
        Panel("answers a second, gate", {"gate": rates(lambda sample: sample.answered)}),
        Panel("attempts decided a second, store", {"store": rates(lambda sample: sample.decided)}),
        Panel("orders committed a second, database", {"database": rates(lambda sample: sample.orders)}),
    ]
    names = ("free", "held", "orders", "standby", "waiting")
    stock = {name: [(sample.at, float(getattr(sample, name))) for sample in samples] for name in names}
    label = "seconds since the first attempt"
    draw(
        folder / "throughput.svg",
        title="The million, layer by layer",
        x_label=label,
        panels=layers,
        ticks=ticks,
    )
    panel = Panel("units; “waiting” are reservations without an order yet", stock)
    draw(
        folder / "stock.svg",
        title="Stock while the million is there",
        x_label=label,
        panels=[panel],
        ticks=ticks,
    )


def _rates(totals: Points) -> Points:
    """Turn totals into rates a second, over half a second each."""
    found, (at, total) = [], totals[0]
    for later, more in totals[1:]:
        if later - at >= WINDOW:
            found.append((later, max(0.0, more - total) / (later - at)))
            at, total = later, more
    return found or [(totals[-1][0], 0.0)]


def _batches(sizes: dict[str, float], folder: Path) -> None:
    bounds = [(name, count) for name, count in sizes.items() if name != "+Inf" or count]
    points = [(float(number), count) for number, (_, count) in enumerate(bounds)]
    ticks = {float(number): name for number, (name, _) in enumerate(bounds)}
    panel = Panel("batches", {"group commit": points})
    title, label = "Size of the batches, every attempt a win", "attempts in the batch, at most"
    draw(folder / "batches.svg", title=title, x_label=label, panels=[panel], ticks=ticks)


def _latencies(curves: dict[str, dict[float, float]], path: Path, title: str) -> None:
    lines = {
        name: [(_nines(point), ms) for point, ms in sorted(curve.items())] for name, curve in curves.items()
    }
    ticks = {_nines(point): text for point, text in NINES.items()}
    panel = Panel("milliseconds", lines)
    label = "share that came within that time"
    draw(path, title=title, x_label=label, panels=[panel], ticks=ticks)


def _nines(point: float) -> float:
    return -log10(1 - point / 100)
