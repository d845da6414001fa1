"""From one measured machine to many: `.venv/bin/python -m bench.scale`.

A small simulation of one machine, in which processes share the cores as they did in the measurement, must
first give the measured points back; only then the same unit costs are multiplied (flashsale/capacity.py).
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
os.environ.setdefault("DJANGO_DEBUG", "1")  # it only reads figures: no secrets are wanted
django.setup()

from bench.report import RESULTS  # noqa: E402
from flashsale.capacity import Costs, Demand, NoFigures, processes, read_figures  # noqa: E402

STEP = 0.01
TOLERANCE = 0.2
CROWDS = (1_000_000, 10_000_000, 1_000_000_000)
PAGE_BYTES, PRESS_BYTES, STREAM_BYTES = 60_000, 900, 300
"""Assumptions: what the edge sends for one entry (files come from a CDN), for one press with its answer, and
for a stream in ten seconds."""
UNITS = {1_000_000: 10_000, 10_000_000: 100_000, 1_000_000_000: 1_000_000}


@dataclass(frozen=True)
class Answering:
    """How a gate answers beside nothing but its load: how often a second, and what each works for it (s)."""

    rate: float
    gate: float
    load: float

    @classmethod
    def of(cls, figures: Mapping[str, float], name: str) -> "Answering":
        """As a section of the benchmark measured it."""
        gate, load = (figures[f"{name}_{who}_cpu_us"] / 1e6 for who in ("gate", "load"))
        return cls(figures[f"{name}_rps"], gate, load)


@dataclass
class Machine:
    """One machine whose cores the load, a gate, a worker and PostgreSQL share.

    Worker and PostgreSQL take turns: they want one core between them while there are orders to write (`order`
    seconds each). Mails and looks at the sale come by beat's clock, in between, and want `beside` of a core.
    """

    cores: float
    win: Answering
    refusal: Answering
    order: float
    beside: float

    def play(self, *, crowd: int, units: int) -> dict[str, float]:
        """Let a crowd press as fast as it is answered; return when it was over, in seconds.

        The sell-out is not among it: it is over within a second, in which connections are opened as well.
        """
        now = answered = ordered = gate_cpu = 0.0
        told: dict[str, float] = {}
        while answered < crowd or ordered < units:
            reserved = min(units, answered)
            recording = ordered < reserved or ordered < units <= answered
            answer = self.win if answered < units else self.refusal
            pressing = answer.rate * (answered < crowd)
            # How many cores are wanted now: by the gate and its load, and by the worker with PostgreSQL.
            wanted = pressing * (answer.gate + answer.load) + recording + self.beside
            share = min(1.0, self.cores / max(1.0, wanted))
            answered += STEP * share * pressing
            gate_cpu += STEP * share * pressing * answer.gate
            if recording:
                ordered = min(reserved, ordered + STEP * share / self.order)
            now += STEP
            over = {"ordered_s": ordered >= units, "s": answered >= crowd}
            for name in (name for name, is_over in over.items() if is_over):
                told.setdefault(f"million_{name}", now)
        return told | {"million_gate_cpu_s": gate_cpu}


def reproduced(figures: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Return what the simulation gives and what was measured, by the figure's name."""
    crowd, units = int(figures["million_answered"]), int(figures["million_reserved"])
    worked = sum(figures[f"million_{who}_cpu_s"] for who in ("worker", "postgres", "beat"))
    machine = Machine(
        cores=figures["cores"],
        win=Answering.of(figures, "wins"),
        refusal=Answering.of(figures, "refusals"),
        order=1 / figures["orders_rps"],
        beside=max(0.0, worked - units * figures["orders_cpu_ms"] / 1000) / figures["million_s"],
    )
    found = machine.play(crowd=crowd, units=units)
    pages = sum(figures[f"entry_{step}_cpu_ms"] for step in ("sale", "form", "answer"))
    found["entry_whole_rps"] = 1000 / pages
    found["growth_1000000_bytes"] = figures["growth_100000_bytes"]
    return {name: (value, figures[name]) for name, value in found.items()}


def off(model: float, measured: float) -> float:
    """How far the model is from the measurement, as a share of it."""
    return abs(model / measured - 1)


def extrapolated(costs: Costs, crowd: int) -> dict[str, float]:
    """Return processes by role, memory of the store (GiB) and bandwidth at the edge (Gbit/s) for a crowd."""
    demand = Demand(crowd, UNITS[crowd], entering=3600, pressing=60)
    found: dict[str, float] = dict(processes(costs, demand))
    found["store_gib"] = crowd * costs.bytes_a_shopper / 2**30
    sent = crowd * PAGE_BYTES / demand.entering, crowd * demand.presses * PRESS_BYTES / demand.pressing
    found["gbit_s"] = (max(sent) + crowd * STREAM_BYTES / 10) * 8 / 1e9
    found["store_cores"] = crowd * costs.store_decision / demand.pressing
    return found


def main() -> int:
    """Print both tables; 1 if the model does not give the measured points back."""
    try:
        figures = read_figures(RESULTS / "latest.json")
        costs = Costs.of(figures)
    except NoFigures as error:
        print(error, file=sys.stderr)
        return 1
    points = reproduced(figures)
    for name, (model, measured) in points.items():
        print(f"{name:24} model {model:12,.2f}  measured {measured:12,.2f}  {off(model, measured):6.1%}")
    if any(off(*pair) > TOLERANCE for pair in points.values()):
        print("The model does not give the measured points back: it may not extrapolate.", file=sys.stderr)
        return 1
    for crowd in CROWDS:
        row = extrapolated(costs, crowd)
        print(f"{crowd:13,}  " + "  ".join(f"{name} {value:,.1f}" for name, value in row.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
