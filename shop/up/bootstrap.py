"""Make the virtual environment and install the pinned packages: `python3 shop/up/bootstrap.py run|dev`.

Runs on the system's bare Python, so it imports nothing but the standard library and, above the version
check, uses nothing that an older Python cannot read.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

if sys.version_info < (3, 11):  # noqa: UP036 - the old Python that reads this line is why it is here
    for newer in filter(None, map(shutil.which, ("python3.14", "python3.13", "python3.12", "python3.11"))):
        os.execv(newer, [newer, *sys.argv])  # noqa: S606
    sys.exit(
        f"This Python is {sys.version_info[0]}.{sys.version_info[1]}; the shop needs 3.11 or newer: "
        "install one and name it, e.g. make run PYTHON=python3.12."
    )

ROOT = Path(__file__).resolve().parent.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = VENV / "install.log"
PINS = {"run": ["requirements.txt"], "dev": ["requirements.txt", "requirements-dev.txt"]}


def main() -> None:
    """Install the set named on the command line, unless its stamp says it is there."""
    wanted = sys.argv[1] if len(sys.argv) > 1 else "run"
    if wanted not in PINS:
        sys.exit(f"Name the set to install: {' or '.join(PINS)}.")
    try:
        # Two runs side by side share the environment: the second one waits for the first.
        with (ROOT / "requirements.txt").open() as pins:
            fcntl.flock(pins, fcntl.LOCK_EX)
            if not is_installed(wanted):
                install(wanted)
    except OSError as error:
        sys.exit(
            f"{error.filename or VENV} cannot be written ({error.strerror}): "
            "free some space or take a folder of your own, then try again."
        )
    except KeyboardInterrupt:
        sys.exit("Stopped while installing; the next start goes on from here.")


def fingerprint(wanted: str) -> str:
    """Return what a complete environment of this set is stamped with."""
    digest = hashlib.sha256(sys.version.encode())
    for name in PINS[wanted]:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def stamp(wanted: str) -> Path:
    """Return the file that says a set is installed."""
    return VENV / f".installed-{wanted}"


def is_installed(wanted: str) -> bool:
    """Tell whether the set (or the larger one that contains it) is installed from the present pins."""
    larger = list(PINS)[list(PINS).index(wanted) :]
    return PYTHON.exists() and any(
        stamp(name).exists() and stamp(name).read_text() == fingerprint(name) for name in larger
    )


def install(wanted: str) -> None:
    """Bring the environment to the present pins: with uv, which is quick, else with pip."""
    make_venv()
    pins = ROOT / PINS[wanted][-1]
    count = sum(1 for line in pins.read_text().splitlines() if "==" in line)
    if not has_uv():
        call("installing the installer", pip_install(ROOT / "requirements-uv.txt"))
    what = f"installing {count} packages"
    if not (has_uv() and call(what, uv_install(pins))) and not call(f"{what} with pip", pip_install(pins)):
        sys.exit(
            f"The packages of {pins.name} could not be installed: {last_error()}. "
            "Check that this machine reaches the package index (PIP_INDEX_URL names another one), "
            f"then try again; all of it is in {LOG}."
        )
    for name in PINS:
        stamp(name).unlink(missing_ok=True)
    stamp(wanted).write_text(fingerprint(wanted))


def uv_install(pins: Path) -> list[str]:
    """Return the command that installs these pins with uv."""
    uv = [str(PYTHON), "-m", "uv", "pip", "install", "--python", str(PYTHON)]
    return [*uv, "--require-hashes", "-r", str(pins)]


def pip_install(pins: Path) -> list[str]:
    """Return the command that installs these pins with pip."""
    return [str(PYTHON), "-m", "pip", "install", "--retries", "2", "--require-hashes", "-r", str(pins)]


def make_venv() -> None:
    """Make `.venv` when there is none that works."""
    if PYTHON.exists() and runs("import pip") and same_python():
        return
    if importlib.util.find_spec("ensurepip") is None:
        sys.exit(
            "This Python has no venv module: install it with `apt-get install python3-venv`, then try again."
        )
    print("  making .venv …", flush=True)
    made = subprocess.run(
        [sys.executable, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode:
        told = (made.stderr or made.stdout).strip().splitlines() or ["it said nothing"]
        sys.exit(f".venv could not be made: {told[-1]} Free or change that place, then try again.")


def runs(code: str) -> bool:
    """Tell whether the environment's Python runs this."""
    return subprocess.run([str(PYTHON), "-c", code], capture_output=True, check=False).returncode == 0


def same_python() -> bool:
    """Tell whether the environment is of the Python we run on (an upgrade leaves packages it cannot load)."""
    return runs(f"import sys; sys.exit(sys.version_info[:2] != {tuple(sys.version_info[:2])})")


def has_uv() -> bool:
    """Tell whether uv is in the environment."""
    return runs("import uv; uv.find_uv_bin()")


def uv_environment() -> dict[str, str]:
    """Return an environment in which uv trusts what the system trusts and asks the index pip would ask."""
    environment = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1"}
    if os.environ.get("PIP_INDEX_URL"):
        environment["UV_DEFAULT_INDEX"] = os.environ["PIP_INDEX_URL"]
    return {**environment, **os.environ}


def call(what: str, command: list[str]) -> bool:
    """Run a command into the log, telling every ten seconds that it is still at work."""
    print(f"  {what} …", flush=True)
    started = told = time.monotonic()
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, env=uv_environment()
        )
        while process.poll() is None:
            time.sleep(0.1)
            if time.monotonic() - told > 10:
                told = time.monotonic()
                print(f"  {what}: {told - started:.0f} s …", flush=True)
    print(
        f"  {what}: {'done' if process.returncode == 0 else 'failed'} in {time.monotonic() - started:.1f} s",
        flush=True,
    )
    return process.returncode == 0


def last_error() -> str:
    """Return the line of the log that says best what went wrong."""
    lines = [line.strip() for line in LOG.read_text("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.lower().startswith("error")]
    return ((errors or lines or ["no reason was given"])[-1]).rstrip(".")[:300]


if __name__ == "__main__":
    main()
