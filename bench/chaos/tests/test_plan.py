"""What a seed means is the same in every run, and every fault that can be drawn can be done."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from bench.chaos import plan
from bench.chaos.faults import ACTS
from bench.chaos.proxy import Proxy
from bench.chaos.result import Result
from bench.chaos.shares import split as shares_of
from bench.roles import ROOT
from shop.up.ports import LOOPBACK


def test_a_seed_is_the_same_run_and_another_seed_another_one() -> None:
    assert plan.of(7) == plan.of(7)
    assert len({str(plan.of(seed).words()) for seed in range(100)}) == 100


def test_three_hundred_seeds_draw_every_fault() -> None:
    drawn = {fault.name for seed in range(1, 301) for fault in plan.of(seed).faults}
    assert drawn == {name for name, often in plan.FAULTS.items() if often}


def test_every_fault_that_can_be_drawn_can_be_done() -> None:
    assert set(ACTS) == set(plan.FAULTS)


@pytest.mark.parametrize(("seeds", "jobs"), [(300, 2), (300, 1), (7, 3), (5, 5)])
def test_the_shares_are_all_the_seeds_once(seeds: int, jobs: int) -> None:
    shares = list(shares_of(41, seeds, jobs))
    assert [seed for first, number in shares for seed in range(first, first + number)] == [
        *range(41, 41 + seeds)
    ]
    assert len(shares) == jobs


def test_shares_are_counted_together(tmp_path: Path) -> None:
    one = Result(runs=2, attempts=30, faults=Counter({"pause": 2}), violations=["seed 1: I1"], seconds=20.0)
    other = Result(runs=1, attempts=12, faults=Counter({"pause": 1, "kill web": 1}), seconds=9.5)
    both = Result()
    for number, share in enumerate((one, other)):
        (tmp_path / str(number)).write_text(json.dumps(share.as_json()))
        both.add(tmp_path / str(number))
    assert (both.runs, both.attempts, both.seconds) == (3, 42, 29.5)
    assert both.faults == {"pause": 3, "kill web": 1}
    assert both.violations == ["seed 1: I1"]


def test_a_fault_or_a_number_that_does_not_exist_is_told() -> None:
    told_of = {
        "--only": ("rain", "There is no fault 'rain'"),
        "--seeds": ("0", "at least one seed"),
        "--jobs": ("21", "no more jobs than seeds"),
    }
    for option, (value, told) in told_of.items():
        command = [sys.executable, "-m", "bench.chaos", option, value]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 1
        assert told in done.stderr
        assert "Traceback" not in done.stderr


async def say(port: int, text: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    try:
        writer.write(text)
        await writer.drain()
        return await reader.readexactly(len(text))
    finally:
        writer.close()


async def repeat(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    heard.append(await reader.read(100))
    writer.write(heard[-1])
    await writer.drain()
    writer.close()


heard: list[bytes] = []


def test_a_lost_reply_is_that_of_a_call_that_was_carried_out() -> None:
    async def story() -> None:
        server = await asyncio.start_server(repeat, LOOPBACK, 0)
        with closing(Link(server.sockets[0].getsockname()[1])) as link:
            assert await say(link.proxy.port, b"one") == b"one"
            link.proxy.lose_replies(1)
            try:
                await say(link.proxy.port, b"two")
            except (OSError, asyncio.IncompleteReadError):
                told = "nothing"
            assert (told, heard) == ("nothing", [b"one", b"two"])
            assert await say(link.proxy.port, b"three") == b"three"
        server.close()

    asyncio.run(story())


class Link:
    """A proxy that is stopped when its test ends."""

    def __init__(self, target: int) -> None:
        self.proxy = Proxy(target)

    def close(self) -> None:
        """Hang up."""
        self.proxy.stop()
