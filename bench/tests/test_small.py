"""The small run: what `make bench SMALL=1` asserts, here for the million."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.roles import ROOT

needs_wrk = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is missing: apt-get install wrk")


@pytest.mark.slow
@needs_wrk
def test_the_small_million_is_exact(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", "--small", "--only", "million", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads((tmp_path / "latest.json").read_text())
    assert (told["million_reserved"], told["million_standby"], told["million_sold_out"]) == (200, 50, 4750)
    assert (told["million_answered"], told["million_orders"]) == (5000, 200)
    assert (told["million_reconciled"], told["million_exact"], told["problems"]) == (1, 1, 0)
    assert (tmp_path / "throughput.svg").exists()
    assert (tmp_path / "stock.svg").exists()


def test_a_section_that_does_not_exist_is_named() -> None:
    command = [sys.executable, "-m", "bench", "--only", "wins,losses"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("There is no section losses: take of limit, wins,")
