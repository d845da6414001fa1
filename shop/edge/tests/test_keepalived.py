"""Two nodes behind one address: when the first one dies, the address moves."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from shop.edge import options
from shop.edge.__main__ import write
from shop.up.messages import Trouble

PATHS = os.environ["PATH"] + ":/usr/sbin:/sbin"
KEEPALIVED, IP = shutil.which("keepalived", path=PATHS), shutil.which("ip", path=PATHS)
ADDRESS = "192.0.2.10"
SETTINGS = {
    "EDGE_KEY": "k" * 32,
    "EDGE_GATE": "127.0.0.1:9",
    "EDGE_WEB": "127.0.0.1:9",
    "EDGE_LISTEN": "8080",
    "EDGE_CONNECTIONS": "512",
    "EDGE_WORKERS": "1",
    "EDGE_ADDRESS": f"{ADDRESS}/24",
}
needs_keepalived = pytest.mark.skipif(KEEPALIVED is None, reason="no keepalived: apt-get install keepalived")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that keepalived trusts: nobody but its owner may write above it."""
    made = Path(tempfile.mkdtemp(prefix="flashsale-edge-", dir="/run" if os.geteuid() == 0 else None))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


def test_an_address_that_is_none_is_told_so() -> None:
    with pytest.raises(Trouble, match=r"^Set EDGE_ADDRESS to an address such as 192\.0\.2\.10/24"):
        options.read(SETTINGS | {"EDGE_ADDRESS": "here"})


def _config_test(path: Path) -> tuple[int, str]:
    command = [str(KEEPALIVED), "-t", "-f", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, start_new_session=True)
    return done.returncode, done.stderr


@needs_keepalived
def test_keepalived_takes_its_configuration_and_no_misspelt_one(folder: Path) -> None:
    others = [path.name for path in Path("/sys/class/net").iterdir() if path.name != "lo"]
    if not others:
        pytest.skip("This machine has no network but its own, and keepalived refuses that one.")
    _write(folder, SETTINGS | {"EDGE_INTERFACE": others[0]})
    code, complaints = _config_test(folder / "keepalived.conf")
    # keepalived 2.2 ends its test of a file with a tracked script by a signal to itself, whatever it found.
    assert (code in (0, -signal.SIGTERM), complaints) == (True, "")
    misspelt = folder / "misspelt.conf"
    misspelt.write_text((folder / "keepalived.conf").read_text().replace("priority", "prioritty"))
    assert "Unknown keyword 'prioritty'" in _config_test(misspelt)[1]


def _write(folder: Path, settings: dict[str, str]) -> list[str]:
    try:
        return write(folder, settings)
    except Trouble as trouble:
        pytest.skip(str(trouble))


def _ip(*words: str) -> str:
    done = subprocess.run([str(IP), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr)
    return done.stdout


@contextmanager
def network(mark: str) -> Iterator[dict[str, str]]:
    """Three machines on one wire: nodes a and b, and a shopper; names of their namespaces."""
    names = {one: f"fs{mark}{one}" for one in ("wire", "a", "b", "shopper")}
    try:
        for name in names.values():
            _ip("netns", "add", name)
        _ip("-n", names["wire"], "link", "add", "bridge", "type", "bridge")
        _ip("-n", names["wire"], "link", "set", "bridge", "up")
        for number, one in enumerate(("a", "b", "shopper"), 11):
            there, port = names[one], f"p{one[0]}{number}"
            _ip(
                "-n",
                names["wire"],
                "link",
                "add",
                port,
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                there,
            )
            _ip("-n", names["wire"], "link", "set", port, "master", "bridge", "up")
            _ip("-n", there, "address", "add", f"192.0.2.{number}/24", "dev", "eth0")
            for link in ("lo", "eth0"):
                _ip("-n", there, "link", "set", link, "up")
        yield names
    finally:
        for name in names.values():
            with suppress(OSError):
                _ip("netns", "delete", name)


@contextmanager
def running(namespace: str, command: list[str], log: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a program inside a namespace until the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(IP), "netns", "exec", namespace, *command], stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=10)


def has_address(namespace: str) -> bool:
    return f" {ADDRESS}/" in _ip("-n", namespace, "address", "show", "dev", "eth0")


def is_served(namespace: str) -> bool:
    """Whether the shopper's machine gets an answer at the shared address."""
    ask = f"exec 3<>/dev/tcp/{ADDRESS}/8080; printf 'GET /edge/healthz HTTP/1.0\\r\\n\\r\\n' >&3; "
    ask += "head -c 12 <&3"
    command = [str(IP), "netns", "exec", namespace, "timeout", "2", "bash", "-c", ask]
    return subprocess.run(command, capture_output=True, check=False).stdout == b"HTTP/1.1 200"


def becomes(holds: Callable[[], bool], within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "It did not come true."
        time.sleep(0.1)


@contextmanager
def pair(folder: Path) -> "Iterator[tuple[dict[str, str], dict[str, subprocess.Popen[bytes]]]]":
    """Two nodes with keepalived, a having the address; names of their namespaces, and their edges."""
    with ExitStack() as stack:
        try:
            names = stack.enter_context(network(folder.name[-4:]))
        except OSError as error:
            pytest.skip(f"No network namespaces here: {error}")
        edges = {}
        for one, priority in (("a", "150"), ("b", "100")):
            home = folder / one
            nginx = _write(home, SETTINGS | {"EDGE_PRIORITY": priority, "EDGE_NAME": one})
            edges[one] = stack.enter_context(running(names[one], nginx, home / "nginx.log"))
            keep = [str(KEEPALIVED), "-n", "-l", "-f", str(home / "keepalived.conf")]
            keep += ["-p", str(home / "k.pid"), "-r", str(home / "v.pid"), "-c", str(home / "c.pid")]
            stack.enter_context(running(names[one], keep, home / "keepalived.log"))
            if one == "a":
                becomes(lambda: has_address(names["a"]))
        becomes(lambda: is_served(names["shopper"]))
        assert not has_address(names["b"])
        yield names, edges


@pytest.mark.slow
@needs_keepalived
def test_the_address_moves_when_the_edge_that_has_it_stops_answering(folder: Path) -> None:
    with pair(folder) as (names, edges):
        edges["a"].terminate()
        becomes(lambda: has_address(names["b"]) and not has_address(names["a"]))
        becomes(lambda: is_served(names["shopper"]))


@pytest.mark.slow
@needs_keepalived
def test_the_address_moves_when_the_machine_that_has_it_is_gone(folder: Path) -> None:
    with pair(folder) as (names, _):
        _ip("-n", names["wire"], "link", "set", "pa11", "down")  # nothing of a is heard any more
        becomes(lambda: has_address(names["b"]))
        becomes(lambda: is_served(names["shopper"]))
