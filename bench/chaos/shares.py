"""Several runs at a time: each share of the seeds is a process with stores and roles of its own.

A run mostly waits (for deadlines, for what starts again), so that one leaves most of the cores idle.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.chaos.result import Result
from bench.roles import ROOT
from shop.up.messages import Trouble

STOP_SECONDS = 20.0


def split(first: int, seeds: int, jobs: int) -> Iterator[tuple[int, int]]:
    """Yield (first seed, number of seeds) of each share; together they are all the seeds."""
    for job in range(jobs):
        start, end = seeds * job // jobs, seeds * (job + 1) // jobs
        yield first + start, end - start


def run(options: argparse.Namespace) -> Result:
    """Run all shares at once and return what they found. Raises Trouble if one of them could not run."""
    with tempfile.TemporaryDirectory() as name:
        outs, shares = [], []
        for job, (first, seeds) in enumerate(split(options.first, options.seeds, options.jobs)):
            outs.append(Path(name) / f"{job}.json")
            shares.append(_start(options, first=first, seeds=seeds, out=outs[-1]))
        try:
            for share in shares:
                share.wait()
        finally:
            for share in shares:
                share.terminate()
            for share in shares:
                share.wait(STOP_SECONDS)
        return _together(outs)


def _start(options: argparse.Namespace, *, first: int, seeds: int, out: Path) -> "subprocess.Popen[bytes]":
    words = {"--seeds": seeds, "--first": first, "--only": options.only, "--out": out}
    told = [str(word) for pair in words.items() for word in pair]
    return subprocess.Popen([sys.executable, "-m", "bench.chaos", *told], cwd=ROOT)


def _together(outs: list[Path]) -> Result:
    result = Result()
    for out in outs:
        if not out.exists():
            raise Trouble("A share of the seeds was not run to its end: what stopped it stands above.")
        result.add(out)
    return result
