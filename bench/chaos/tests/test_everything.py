"""Nothing that was told is lost when every process dies at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.roles import ROOT


@pytest.mark.slow
def test_kill9_every_process_keeps_acknowledged(tmp_path: Path) -> None:
    """Gates, workers, web, beat, Valkey and PostgreSQL are killed while shoppers attempt, and started again.

    The checker finds whoever was told "reserved" and has no row, two, or another one than he is told now (I4,
    I6), and the run itself whoever has no order. A kill leaves what the kernel has not written yet, so this
    proves nothing of the disk; `test_control_a_store_that_keeps_nothing_forgets_what_was_told` shows what is
    lost where there is no file at all.
    """
    out = tmp_path / "chaos.json"
    command = [sys.executable, "-m", "bench.chaos", "--only", "kill everything", "--seeds", "1"]
    done = subprocess.run(
        [*command, "--out", str(out)], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "violations: 0 in 1 runs"), done.stdout
    told = json.loads(out.read_text())
    assert told["faults"] == {"kill everything": 1}
    assert told["kept"] > 0
