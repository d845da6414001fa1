"""The short version of `make chaos`: some seeds on real stores and roles."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.roles import ROOT

SEEDS = 20


@pytest.mark.slow
def test_nothing_is_lost_in_sales_under_faults(tmp_path: Path) -> None:
    out = tmp_path / "chaos.json"
    command = [sys.executable, "-m", "bench.chaos", "--seeds", str(SEEDS), "--jobs", "2", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=540, check=False)
    assert done.stdout.splitlines()[-1] == f"violations: 0 in {SEEDS} runs", done.stdout + done.stderr
    assert done.returncode == 0
    told = json.loads(out.read_text())
    assert told["violations"] == []
    assert told["outcomes"]["reserved"] > 0
    assert told["ends"]["paid"] > 0
