"""The edge in front of the gate: routes, limits, addresses, and what must never pass through it."""

import json
import socket
import ssl
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flashsale.tests.conftest import MakeSale, MakeShoppers
from flashsale.tests.edges import needs_nginx, running_edge
from flashsale.tests.gates import a_pass, ask, attempt_at, bearer, running_gate
from shop.edge.tests.certificates import certificate
from shop.up.ports import free_port

pytestmark = [needs_nginx, pytest.mark.django_db(transaction=True)]
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def gate() -> Iterator[str]:
    with running_gate() as address:
        yield address


@pytest.fixture(scope="module")
def edge(gate: str) -> Iterator[str]:
    with running_edge(gate=gate, web=NOWHERE) as address:
        yield address


def raw(edge: str, request: bytes) -> bytes:
    """Send bytes as they are and return everything that comes back."""
    with socket.create_connection(
        (urlsplit(edge).hostname or "", urlsplit(edge).port or 0), timeout=5
    ) as line:
        line.sendall(request)
        line.settimeout(5)
        found = b""
        while part := line.recv(65536):
            found += part
        return found


def test_an_attempt_passes_through_and_its_answer_comes_back_unchanged(
    gate: str, edge: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann,) = make_sale(), shoppers(1)
    headers = bearer(a_pass(item, ann))
    status, told, answer_headers = attempt_at(edge, item, headers)
    assert (status, told["outcome"]) == (201, "reserved")
    again, told_directly, _ = attempt_at(gate, item, headers)
    assert (again, told_directly["reservation"]) == (200, told["reservation"])
    assert "path=/gate/sales/" in answer_headers["set-cookie"].lower()
    assert "httponly" in answer_headers["set-cookie"].lower()


def test_the_status_document_is_asked_for_once_a_second_however_many_read_it(
    gate: str, edge: str, make_sale: MakeSale
) -> None:
    item = make_sale()
    path, started = f"/gate/sales/{item.sale_id}", time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: ask(edge, "GET", f"{path}?n={n}")[2], range(800)))
    # A document a second, whatever is behind the question mark. Each look at the gate would give another one,
    # for the instant is in it.
    assert len(set(found)) <= time.monotonic() - started + 2
    assert b'"state": "running"' in found[0]


def test_a_crowd_with_one_pass_is_told_to_slow_down_and_when_to_return(
    edge: str, make_sale: MakeSale, shoppers: MakeShoppers
) -> None:
    item, (ann, ben) = make_sale(quantity=9), shoppers(2)
    token = a_pass(item, ann)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: attempt_at(edge, item, bearer(token)), range(60)))
    kinds = Counter(told["outcome"] for _, told, _ in answers)
    assert set(kinds) == {"reserved", "slow_down"}
    assert kinds["slow_down"] >= 20
    slow = next(answer for answer in answers if answer[0] == 429)
    assert (slow[1]["retry_after"], slow[2]["retry-after"]) == (1, "1")
    assert attempt_at(edge, item, bearer(a_pass(item, ben)))[0] == 201  # another pass is another bucket


def test_a_network_that_storms_is_told_so_on_a_page_too(gate: str) -> None:
    with running_edge(gate=gate, web=NOWHERE, EDGE_NETWORK_RATE="5", EDGE_NETWORK_BURST="5") as edge:
        answers = [ask(edge, "GET", "/cart/") for _ in range(30)]
    slow = next(answer for answer in answers if answer[0] == 429)
    assert slow[1]["retry-after"] == "1"
    assert b"You can try again in one second." in slow[2]


def test_what_two_readers_could_understand_differently_is_refused(edge: str) -> None:
    both = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n"
    for heads in (
        both,
        b"Content-Length: 4\r\nContent-Length: 5\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
    ):
        request = b"POST /gate/sales/1/items/1/attempt HTTP/1.1\r\nHost: shop\r\n" + heads
        answer = raw(edge, request + b"Connection: close\r\n\r\n0\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 501")), answer[:80]


def test_a_large_body_and_a_large_head_stop_at_the_edge(edge: str) -> None:
    large = (
        b"POST /gate/sales/1/items/1/attempt HTTP/1.1\r\nHost: x\r\n"
        b"Content-Length: 2000\r\nConnection: close\r\n\r\n"
    )
    assert raw(edge, large + b"x" * 2000).startswith(b"HTTP/1.1 413")
    long_head = b"GET /gate/clock HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Long: " + b"x" * 40_000
    assert raw(edge, long_head + b"\r\n\r\n").startswith(b"HTTP/1.1 400")


def test_a_client_that_never_ends_its_head_is_hung_up_on(edge: str) -> None:
    with socket.create_connection((urlsplit(edge).hostname or "", urlsplit(edge).port or 0)) as line:
        line.sendall(b"GET /edge/healthz HTTP/1.1\r\nHost: shop")
        line.settimeout(30)
        with suppress(ConnectionResetError):
            assert line.recv(1) == b""


def test_operators_pages_end_at_the_edge(gate: str, edge: str) -> None:
    assert ask(gate, "GET", "/gate/metrics")[0] == 200  # to the gate, the edge is its own machine
    for path in ("/gate/metrics", "/gate/live/metrics", "/metrics", "/readyz", "/edge/report", "/edge/"):
        assert ask(edge, "GET", path)[0] == 404, path


def test_a_browser_is_offered_http_2_and_nothing_older_than_tls_1_2(gate: str, tmp_path: Path) -> None:
    files, port = certificate(tmp_path), free_port()
    with running_edge(gate=gate, EDGE_TLS_LISTEN=f"127.0.0.1:{port}", **files):
        context = ssl.create_default_context(cafile=files["EDGE_CERTIFICATE"])
        context.set_alpn_protocols(["h2", "http/1.1"])
        line = socket.create_connection(("127.0.0.1", port))
        with context.wrap_socket(line, server_hostname="localhost") as spoken:
            assert (spoken.selected_alpn_protocol(), spoken.version()) == ("h2", "TLSv1.3")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python, too, advises against what the edge refuses
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", port)) as line, pytest.raises(ssl.SSLError):
            context.wrap_socket(line, server_hostname="localhost")


def test_a_gate_that_is_away_is_a_pause_and_web_does_not_feel_it(gate: str) -> None:
    with running_edge(gate=NOWHERE, web=gate) as edge:
        status, headers, body = ask(edge, "POST", "/gate/sales/1/items/1/attempt")
        assert (status, headers["retry-after"]) == (503, "2")
        assert b'"outcome": "paused"' in body
        assert ask(edge, "GET", "/gate/sales/1")[0] == 503
        assert (
            ask(edge, "GET", "/cart/")[0] == 404
        )  # the role behind "web" answers: here a gate, which has no cart


def test_a_storm_at_a_gate_that_hangs_leaves_the_other_roles_their_places(gate: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as hung, ExitStack() as stack:
        stuck = f"http://127.0.0.1:{hung.getsockname()[1]}"
        edge = stack.enter_context(running_edge(gate=stuck, web=gate, EDGE_GATE_AT_ONCE="4"))
        pool = stack.enter_context(ThreadPoolExecutor(12))
        asked = [pool.submit(ask, edge, "POST", "/gate/sales/1/items/1/attempt") for _ in range(12)]
        answers = [json.loads(one.result()[2])["outcome"] for one in as_completed(asked[:], timeout=30)]
        # Eight are told at once that there is no room; the four that were let in hear that nobody knows.
        assert answers == ["full"] * 8 + ["unknown"] * 4
        assert ask(edge, "GET", "/cart/")[0] == 404  # the role behind "web" answers


def test_a_web_that_is_away_is_a_page_that_says_when_to_come_back(edge: str) -> None:
    status, headers, body = ask(edge, "GET", "/cart/")
    assert (status, headers["retry-after"], headers["cache-control"]) == (503, "5", "no-store")
    assert b"The shop is not ready at the moment" in body
    assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"),
        ({"Accept-Language": "zh-CN,zh;q=0.9"}, "zh-hans"),
        ({"Accept-Language": "zh-CN", "Cookie": "django_language=en"}, "en"),
        ({"Cookie": "a=b; django_language=zh-hans"}, "zh-hans"),
        ({"Cookie": "django_language=xx"}, "en"),
    ],
    ids=["nothing", "the reader's", "chosen", "chosen among others", "unknown"],
)
def test_the_edge_speaks_by_itself_in_the_language_of_the_reader(
    edge: str, headers: dict[str, str], language: str
) -> None:
    page = ask(edge, "GET", "/cart/", headers)[2].decode()
    assert f'<html lang="{language}">' in page
    assert {"en": "You can try again in five seconds.", "zh-hans": "五秒"}[language] in page
