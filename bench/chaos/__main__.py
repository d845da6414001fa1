"""`python -m bench.chaos --seeds 300 [--first 1] [--only "kill gate"]`: sales under faults, judged."""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from bench.__main__ import OURS, environment, prepare
from bench.chaos import shares
from bench.chaos.disks import disk_for
from bench.chaos.plan import FAULTS
from bench.chaos.result import Result
from bench.chaos.world import World
from shop.up import messages, postgres
from shop.up.messages import Trouble, say, step
from shop.up.stores import Stores

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / ".data" / "chaos"
QUICK = {"STREAM_CLAIM_AFTER_MS": "2000", "DRAIN_SLOTS": "3", "ACCOUNT_EMAIL_VERIFICATION": "optional"}
"""What a dead worker left is taken over sooner than in a shop, so that a run takes seconds."""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.chaos", description="Sales under faults; see docs/reliability.md."
    )
    parser.add_argument("--seeds", type=int, default=20, help="how many runs (default 20)")
    parser.add_argument("--first", type=int, default=1, help="the first seed (default 1)")
    parser.add_argument("--only", default="", help=f"one fault in every run, of: {', '.join(FAULTS)}")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time, each on stores of its own")
    parser.add_argument("--out", type=Path, default=PLACE / "latest.json", help="where the figures go")
    return parser.parse_args()


def main() -> int:
    """Check the command line, run all seeds, and leave the figures and the histories that were wrong."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    options = arguments()
    try:
        require_sense(options)
        started = time.monotonic()
        result = shares.run(options) if options.jobs > 1 else run(options)
        result.took = time.monotonic() - started
        return tell(result, options)
    except Trouble as trouble:
        return messages.fail(trouble)
    except KeyboardInterrupt:
        say("Stopped: nothing was proven.")
        return 130


def require_sense(options: argparse.Namespace) -> None:
    """Raise the sentence to show for a fault or a number that does not exist."""
    if options.only and options.only not in FAULTS:
        raise Trouble(f"There is no fault {options.only!r}: take one of {', '.join(FAULTS)}.")
    if options.seeds < 1:
        raise Trouble("Ask for at least one seed.")
    if not 1 <= options.jobs <= options.seeds:
        raise Trouble("Ask for at least one job, and for no more jobs than seeds.")


def run(options: argparse.Namespace) -> Result:
    """Start stores and roles in a folder of their own, run the seeds, and stop all of it."""
    PLACE.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=PLACE))
    stores, disk = Stores(folder), disk_for(folder)
    world = None
    try:
        with step("start PostgreSQL and Valkey, both of them durable"):
            stores.start({}, durable=True)
        env = environment(folder, stores.urls) | QUICK
        prepare(folder, env)
        for name in OURS:
            os.environ.pop(name, None)
        os.environ.update(env)
        world = World(folder, stores, env, disk)
        with step("start two gates, two workers, web and beat"):
            world.start()
        from bench.chaos.runs import run_all  # noqa: PLC0415 - Django is set up once there are stores

        return run_all(world, first=options.first, seeds=options.seeds, only=options.only, keep=PLACE)
    except BaseException:
        shutil.copytree(folder / "logs", PLACE / "logs", dirs_exist_ok=True)  # whoever stopped said why
        raise
    finally:
        if world is not None:
            world.stop()
        stores.stop()
        postgres.forget(folder)
        disk.close()
        shutil.rmtree(folder, ignore_errors=True)


def tell(result: Result, options: argparse.Namespace) -> int:
    """Print the table and write the figures; 1 for any violation."""
    say("")
    for name, number in sorted(result.faults.items()):
        say(f"  {name:<26} {number:>5}")
    say(f"  attempts {result.attempts}, outcomes {dict(result.outcomes)}, reservations {dict(result.ends)}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps({"first": options.first, **result.as_json()}, indent=1) + "\n")
    say(f"violations: {len(result.violations)} in {result.runs} runs")
    return 1 if result.violations else 0


if __name__ == "__main__":
    sys.exit(main())
