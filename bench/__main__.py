"""`python -m bench [--small] [--only wins,orders]`: starts stores of its own, measures, tells, cleans up."""

import argparse
import os
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from bench.names import SECTIONS
from shop.up import messages, postgres
from shop.up.messages import Trouble, say, step
from shop.up.processes import Process, run
from shop.up.stores import Stores

ROOT = Path(__file__).resolve().parent.parent
OURS = ("DATABASE_URL", "REDIS_URL", "CACHE_URL", "CELERY_BROKER_URL", "DJANGO_TESTING")
MANAGE = [sys.executable, "manage.py"]


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures the flash sale; see bench/README.md."
    )
    parser.add_argument(
        "--small", action="store_true", help="a minute instead of ten: asserts, measures little"
    )
    parser.add_argument("--only", default="", help=f"some sections, of {', '.join(SECTIONS)}")
    parser.add_argument(
        "--rounds", type=int, default=0, help="how often each section runs (default 3; small: 1)"
    )
    parser.add_argument("--out", type=Path, help="folder of the results of a run that is not complete")
    return parser.parse_args()


def environment(folder: Path, urls: dict[str, str]) -> dict[str, str]:
    """Return what every role of the run is told: production, behind a proxy that speaks TLS.

    The worker draws no captchas: a shop has drawn them long before the crowd, and `entry` draws its own.
    """
    given = {name: value for name, value in os.environ.items() if name not in OURS}
    return given | {
        "ALLOWED_HOSTS": "127.0.0.1",
        "BEHIND_TLS_PROXY": "1",
        "CLIENT_ADDRESS_HEADER": "X-Real-IP",
        "CAPTCHA_POOL": "0",
        "C_FORCE_ROOT": "1",
        "DATA_DIR": str(folder),
        "DJANGO_DEBUG": "0",
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "EMAIL_URL": "dummymail://",
        "LOG_LEVEL": "WARNING",
        "PAYMENT_DUMMY": "1",
        "PYTHONUNBUFFERED": "1",
        "SECRET_KEY": secrets.token_hex(32),
        "STATIC_ROOT": str(folder / "static"),
        "TRUSTED_PROXIES": "127.0.0.1",
        **urls,
    }


def prepare(folder: Path, env: dict[str, str]) -> None:
    """Make the tables, and the static files that the pages name."""
    for name, command in (
        ("migrate", ["migrate", "--noinput"]),
        ("collect static files", ["collectstatic", "--noinput"]),
    ):
        with step(name):
            run(
                name,
                [*MANAGE, *command, "--verbosity", "0"],
                log=folder / "logs/prepare.log",
                env=env,
                cwd=ROOT,
            )


def measure(folder: Path, env: dict[str, str], pids: dict[str, int], options: argparse.Namespace) -> int:
    """Run the measuring process, which speaks to the terminal itself; return its exit code."""
    command = [sys.executable, "-m", "bench.run", "--folder", str(folder)]
    command += ["--pids", ",".join(f"{name}={pid}" for name, pid in pids.items())]
    command += ["--only", options.only, "--rounds", str(options.rounds)]
    command += ["--small"] if options.small else []
    command += ["--out", str(options.out.resolve())] if options.out else []
    process = Process("bench", command, folder / "logs/bench.log", env, ROOT, speaks=True)
    process.start()
    try:
        return process.popen.wait() if process.popen else 1
    finally:
        process.stop(15)
        errors = (folder / "logs/bench.log").read_text("utf-8", "replace").strip()
        if errors:
            print(errors, file=sys.stderr)


def main() -> int:
    """Check the command line, do it all, and leave nothing but the results."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    options = arguments()
    try:
        require_sections(options.only)
        return run_all(options)
    except Trouble as trouble:
        return messages.fail(trouble)
    except KeyboardInterrupt:
        say("Stopped: nothing was written.")
        return 130


def require_sections(only: str) -> None:
    """Raise the sentence to show when a section that was asked for does not exist."""
    unknown = sorted(set(filter(None, only.split(","))) - set(SECTIONS))
    if unknown:
        raise Trouble(f"There is no section {', '.join(unknown)}: take of {', '.join(SECTIONS)}.")


def run_all(options: argparse.Namespace) -> int:
    """Start the stores in a folder of their own, measure, and remove both; return the exit code."""
    place = ROOT / ".data" / "bench"
    place.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=place))
    stores = Stores(folder)
    try:
        with step("start PostgreSQL and Valkey, both of them durable"):
            stores.start({}, durable=True)
        env = environment(folder, stores.urls)
        prepare(folder, env)
        return measure(folder, env, {process.name: process.pid() for process in stores.processes}, options)
    finally:
        stores.stop()
        postgres.forget(folder)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
