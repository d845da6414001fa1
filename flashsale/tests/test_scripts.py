"""The logic of the scripts, tested by themselves where there is Node.js."""

import shutil
import subprocess
from pathlib import Path

import pytest

NODE = shutil.which("node")
TESTS = sorted((Path(__file__).parent / "js").glob("*.test.js"))


@pytest.mark.skipif(NODE is None, reason="There is no Node.js here: apt-get install nodejs")
@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_the_logic_of_a_script(path: Path) -> None:
    assert NODE is not None
    done = subprocess.run([NODE, "--test", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "# fail 0" in done.stdout
    assert "# pass 0" not in done.stdout


def test_there_are_scripts_to_test() -> None:
    assert len(TESTS) >= 5
