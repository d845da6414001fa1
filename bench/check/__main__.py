"""`python -m bench.check FILE...`: judge the history of a run that was kept."""

import argparse
import sys
from pathlib import Path

from bench.check.events import HistoryError, read
from bench.check.verdict import check


def main() -> int:
    """Print every violation; 1 if there is one, 2 if the history cannot be judged."""
    parser = argparse.ArgumentParser(prog="python -m bench.check", description="Judge a history.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    files = parser.parse_args().files
    try:
        violations = check(read(files))
    except (HistoryError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    for violation in violations:
        print(f"{violation.predicate}: {violation.sentence}")
    print(f"violations: {len(violations)}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
