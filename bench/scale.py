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


@dataclass
class Machine:
    """One machine whose cores the load, a gate, a worker and PostgreSQL share; costs in seconds of a core.

    `press` is what the load works for one press. Worker and PostgreSQL take turns: both together want a core.
    """

    cores: float
    gate_win: float
    gate_refusal: float
    order: float
    press: float

    def play(self, *, crowd: int, units: int) -> dict[str, float]:
        """Let a crowd press as fast as it is answered; return when it was over, in seconds."""
        now, answered, ordered, gate_cpu = 0.0, 0.0, 0.0, 0.0
        told: dict[str, float] = {}
        while answered < crowd or ordered < units:
            reserved = min(units, answered)
            pressing = answered < crowd
            recording = ordered < reserved or ordered < units <= answered
            cost = self.gate_win if answered < units else self.gate_refusal
            # How many cores are wanted now: by the gate and its load, and by the worker with PostgreSQL.
            wanted = pressing * (1 + self.press / cost) + recording
            share = min(1.0, self.cores / max(1.0, wanted))
            if pressing:
                answered += STEP * share / cost
                gate_cpu += STEP * share
            if recording:
                ordered = min(reserved, ordered + STEP * share / self.order)
            now += STEP
            over = {"sold_out_s": answered >= units, "ordered_s": ordered >= units, "s": answered >= crowd}
            for name in (name for name, is_over in over.items() if is_over):
                told.setdefault(f"million_{name}", now)
        return told | {"million_gate_cpu_s": gate_cpu}


def reproduced(figures: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Return what the simulation gives and what was measured, by the figure's name."""
    machine = Machine(
        cores=figures["cores"],
        gate_win=1 / figures["wins_rps"],
        gate_refusal=1 / figures["refusals_rps"],
        order=1 / figures["orders_rps"],
        press=figures["cores"] / figures["edge_limit_rps"],  # of a load that asks for nginx's constant
    )
    crowd, units = int(figures["million_answered"]), int(figures["million_reserved"])
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
