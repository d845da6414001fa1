"""The gate as an attacker sees it: a socket. Whatever comes, it answers 4xx or hangs up, and serves others.

The gate runs as the Procfile starts it. What is sent asks for an attempt without a pass, so that no answer
but a refusal is right, whichever part of it is broken.
"""

import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as shop
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.gates import a_pass, attempt_at, bearer, running_gate

pytestmark = pytest.mark.django_db(transaction=True)
PATH = b"/gate/sales/1/items/1/attempt"
ATTEMPT = b"POST " + PATH + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n"
MEGABYTE = 1024 * 1024
MORE_AT_MOST = 64 * MEGABYTE
"""So much may the gate grow by what is thrown at it: some kilobytes for each socket, whatever it sends."""

IDLE = 2000
HEADER_SECONDS = 5.0
PATIENCE = 20.0
LIMITS = settings(max_examples=400, deadline=None, database=None, suppress_health_check=list(HealthCheck))

numbers = st.integers(-1, 2**70).map(lambda number: b"%d" % number)
names = st.sampled_from(
    b"Content-Length|Transfer-Encoding|Host|Cookie|Authorization|Connection|Upgrade|Expect|TE|Trailer"
    b"|X-Forwarded-For|HTTP2-Settings| Host|Ho st||\x00".split(b"|")
)
values = st.one_of(
    numbers,
    st.binary(max_size=40),
    st.sampled_from(
        [b"chunked", b"chunked, chunked", b"gzip", b"h2c", b"100-continue", b"\r\n folded", b"close"]
    ),
    st.integers(1, 200_000).map(lambda size: b"a" * size),
)
headers = st.lists(st.tuples(names, values), max_size=8)
ends = st.sampled_from([b"\r\n", b"\n", b"\r", b"\x00", b""])
methods = st.sampled_from(
    [b"GET", b"POST", b"PRI", b"CONNECT", b"TRACE", b"OPTIONS", b"post", b"P\x00ST", b""]
)
targets = st.one_of(
    st.sampled_from(
        [PATH, b"*", b"", b"http://evil.example/", b"//", b"/../" * 50, b"/%00", b"/gate/sales/\xff"]
    ),
    st.binary(max_size=60),
    st.integers(1, 100_000).map(lambda size: b"/" + b"a" * size),
)
versions = st.sampled_from(
    [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/9.9", b"", b"XTTP/1.1"]
)
bodies = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([b"5\r\nhello\r\n0\r\n\r\n", b"FFFFFFFFFFFFFFFFF\r\n", b"-1\r\n", b"0;" + b"a" * 9000]),
)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Something like a request, wrong in any part."""
    end = draw(ends)
    head = b" ".join((draw(methods), draw(targets), draw(versions))) + end
    for name, value in draw(headers):
        head += name + b": " + value + end
    return head + end + draw(bodies)


@st.composite
def mutants(draw: st.DrawFn) -> bytes:
    """A right request with some bytes of it changed."""
    changed = bytearray(ATTEMPT)
    for _ in range(draw(st.integers(1, 6))):
        changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
    return bytes(changed)


@pytest.fixture(scope="module")
def gate() -> Iterator[str]:
    with running_gate() as address:
        yield address


def connect(gate: str) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(gate).port or 0), timeout=PATIENCE)


def told(gate: str, *pieces: bytes, quiet: float = 5.0, count: int = 0) -> bytes:
    """Send the pieces; return what is answered until it hangs up, is quiet so long (s), or said enough."""
    answer = b""
    with closing(connect(gate)) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            connection.settimeout(quiet)
            while (data := connection.recv(65_536)) and (not count or len(statuses(answer + data)) < count):
                answer += data
        except (ConnectionError, TimeoutError):
            return answer
    return answer + data


def statuses(answer: bytes) -> list[int]:
    return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3})", answer)]


def memory(gate: str) -> int:
    """Resident bytes of the gate's processes."""
    port = f"--port\0{urlsplit(gate).port}\0".encode()
    parents, sizes = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            pid, command = int(folder.name), (folder / "cmdline").read_bytes()
            parents[pid] = (
                -1 if port in command else int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            )
            sizes[pid] = int((folder / "statm").read_text().split()[1]) * 4096
        except (OSError, ValueError):  # it has ended meanwhile
            continue
    family = {pid for pid, parent in parents.items() if parent == -1}
    family |= {pid for pid, parent in parents.items() if parent in family}
    return sum(size for pid, size in sizes.items() if pid in family)


@LIMITS
@given(sent=st.one_of(requests(), mutants(), st.binary(max_size=2000)))
@example(sent=b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
@example(
    sent=ATTEMPT.replace(b"Content-Length: 0", b"Content-Length: 4\r\nTransfer-Encoding: chunked")
    + b"0\r\n\r\n"
)
@example(sent=ATTEMPT.replace(b"Content-Length: 0", b"Content-Length: 0\r\nContent-Length: 9"))
@example(sent=ATTEMPT.replace(b"127.0.0.1", b"127.0.0.1\r\nHost: evil.example"))
@example(sent=ATTEMPT.replace(b"\r\n", b"\n"))
@example(sent=ATTEMPT.replace(b"Content-Length: 0", b"Cookie: " + b"a" * 500_000))
def _throw(gate: str, sent: bytes) -> None:
    assert all(400 <= status < 500 for status in statuses(told(gate, sent, quiet=0.1))), sent[:200]


def test_whatever_is_thrown_at_it_is_refused_or_hung_up(
    gate: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    before = memory(gate)
    _throw(gate)
    assert memory(gate) - before < MORE_AT_MOST
    assert attempt_at(gate, item, bearer(a_pass(item, ann)))[0] == 201


def test_an_answer_outside_4xx_is_found(gate: str) -> None:
    assert statuses(told(gate, b"GET /gate/clock HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", count=1)) == [200]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"])
def test_another_method_is_refused(gate: str, method: str) -> None:
    answer = told(gate, ATTEMPT.replace(b"POST", method.encode()), count=1)
    assert statuses(answer) == [405]
    assert b"allow: POST" in answer


def test_a_pipeline_is_answered_in_its_order(gate: str) -> None:
    other = ATTEMPT.replace(b"POST", b"PUT")
    assert statuses(told(gate, (ATTEMPT + other) * 50, count=100)) == [403, 405] * 50


def test_a_giant_body_is_not_read_into_memory(gate: str) -> None:
    before, size = memory(gate), 256 * MEGABYTE
    head = ATTEMPT.replace(b"Content-Length: 0", b"Content-Length: %d" % size)
    answer = told(gate, head, *[b"a" * MEGABYTE] * (size // MEGABYTE), count=1)
    assert statuses(answer) in ([], [403])  # hung up on before the answer could be read, or refused
    assert memory(gate) - before < MORE_AT_MOST


@pytest.mark.parametrize("said", [b"", b"POST ", ATTEMPT[:-2]])
def test_whoever_is_slow_with_the_head_is_hung_up_on(gate: str, said: bytes) -> None:
    """Slow loris: a byte now and then keeps no connection for longer than the time for a head."""
    started = time.monotonic()
    with closing(connect(gate)) as connection:
        connection.sendall(said)
        connection.settimeout(0.5)
        while time.monotonic() < started + PATIENCE:
            try:
                if not connection.recv(1000):
                    return
                connection.sendall(b"a")
            except TimeoutError:
                continue
            except ConnectionError:
                return
    pytest.fail("It waits for ever.")


def test_many_who_say_nothing_keep_nobody_out(gate: str, make_sale: MakeSale, shoppers: MakeShoppers) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    before = memory(gate)
    with ExitStack() as open_ones:
        for number in range(IDLE):
            connection = open_ones.enter_context(closing(connect(gate)))
            connection.sendall(ATTEMPT[: number % len(ATTEMPT)])
        assert attempt_at(gate, item, bearer(a_pass(item, ann)))[0] == 201
        assert memory(gate) - before < MORE_AT_MOST
    assert attempt_at(gate, item, bearer(a_pass(item, ann)))[0] == 200


def test_the_limits_here_are_those_of_production() -> None:
    (line,) = [
        row for row in (shop.BASE_DIR / "Procfile").read_text().splitlines() if row.startswith("gate:")
    ]
    assert f"--http1-header-read-timeout {HEADER_SECONDS * 1000:.0f} " in line
    assert "--http 1 " in line
    assert "--http1-buffer-size 8192 " in line
