"""The measuring process: `python -m bench` starts it once there are stores."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
if not apps.ready:
    django.setup()

from bench import (
    edge,
    entry,
    growth,
    isolation,
    limits,
    live,
    load,
    million,
    orders,
    refusals,
    report,
    roles,
    tickets,
    ties,
    wins,
)
from bench.league import tables
from bench.names import ONCE, SECTIONS
from bench.sizes import FULL, SMALL
from bench.stage import Stage
from shop.up import messages
from shop.up.messages import Trouble, say

MEASURES: dict[str, Callable[[Stage], None]] = {
    "limit": limits.measure,
    "wins": wins.measure,
    "percall": wins.measure_percall,
    "half": wins.measure_half,
    "refusals": refusals.measure,
    "edge": edge.measure,
    "orders": orders.measure,
    "isolation": isolation.measure,
    "entry": entry.measure,
    "league": tables.measure,
    "growth": growth.measure,
    "tickets": tickets.measure,
    "ties": ties.measure,
    "live": live.measure,
    "million": million.measure,
}


def arguments() -> argparse.Namespace:
    """Read what `bench/__main__.py` passes on."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--pids", required=True)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def main() -> int:
    """Measure every section in every round, then tell; 1 if something was not exact."""
    options = arguments()
    sizes = SMALL if options.small else FULL
    wanted = [name for name in SECTIONS if name in options.only.split(",") or not options.only]
    rounds = options.rounds or sizes.rounds
    pids = {name: int(pid) for name, pid in (pair.split("=") for pair in options.pids.split(","))}
    stage, started = Stage(folder=options.folder, sizes=sizes, store_pids=pids), time.monotonic()
    busy = roles.busy_seconds() - _our_seconds(stage)
    try:
        load.require_wrk()
        stage.figures.add("fsync_ms", limits.fsync_ms(options.folder))
        if "million" in wanted:
            with messages.step(f"make {sizes.million:,} shoppers"):
                stage.shoppers(sizes.million)
        for number in range(rounds):
            for name in (name for name in wanted if number == 0 or name not in ONCE):
                _measure(stage, name, f"round {number + 1} of {rounds}: {name}")
    except Trouble as trouble:
        return messages.fail(trouble)
    else:
        _tell_disturbance(stage, busy, time.monotonic() - started)
    finally:
        stage.stop()
    is_complete = len(wanted) == len(SECTIONS) and not options.small and rounds >= FULL.rounds
    report.tell(
        stage,
        seconds=time.monotonic() - started,
        rounds=rounds,
        judged=not options.small,
        folder=None if is_complete and not options.out else options.out or report.PARTIAL,
    )
    return 1 if stage.problems else 0


def _our_seconds(stage: Stage) -> float:
    return sum(roles.cpu_seconds(pid) for pid in (os.getpid(), *stage.store_pids.values()))


def _tell_disturbance(stage: Stage, before: float, seconds: float) -> None:
    """Tell how many cores worked for somebody else meanwhile: a run with many of them measures those."""
    others = roles.busy_seconds() - _our_seconds(stage) - before
    stage.figures.add("other_cores", max(0.0, others / seconds))


def _measure(stage: Stage, name: str, title: str) -> None:
    started = time.monotonic()
    say(f"  {title} …")
    MEASURES[name](stage)
    say(f"    {time.monotonic() - started:.1f} s: {stage.figures.news()}")


if __name__ == "__main__":
    sys.exit(main())
