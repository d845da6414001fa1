"""The load: every pass is sent exactly once, and every answer is counted by status and outcome."""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from django.conf import settings

from bench import load

pytestmark = pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is missing: apt-get install wrk")


@contextmanager
def server(seen: list[str]) -> Iterator[str]:
    """Answer attempts in turn with a win, a refusal and an error, and note the pass of each."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._say(200, {"gate": "ok"})

        def do_POST(self) -> None:
            seen.append(self.headers["Cookie"].removeprefix(f"{settings.PASS_COOKIE}="))
            kinds: tuple[tuple[int, dict[str, str]], ...]
            kinds = ((201, {"outcome": "reserved"}), (409, {"outcome": "sold_out"}), (500, {}))
            self._say(*kinds[int(seen[-1]) % 3])

        def _say(self, status: int, body: dict[str, str]) -> None:
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Keep the terminal quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        httpd.daemon_threads = True
        httpd.handle_error = lambda *_: None  # type: ignore[method-assign]  # wrk hangs up as it pleases
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("passes", "threads", "connections"), [(300, 2, 8), (3, 2, 8), (1, 2, 2), (30, 1, 1)]
)
def test_every_pass_is_sent_once_and_every_answer_counted(
    tmp_path: Path, passes: int, threads: int, connections: int
) -> None:
    seen: list[str] = []
    load.write_passes(tmp_path / "passes", [str(number) for number in range(passes)], threads=threads)
    with server(seen) as address:
        told = load.attempts(
            address, "/attempt", tmp_path / "passes", connections=connections, threads=threads, at_most=30
        )
    assert sorted(map(int, seen)) == list(range(passes))
    kinds = {"201 reserved": (passes + 2) // 3, "409 sold_out": (passes + 1) // 3, "500 none": passes // 3}
    assert told.answers == {kind: number for kind, number in kinds.items() if number}
    assert told.requests == passes
    assert told.seconds < 15


def test_a_load_that_goes_on_sends_its_passes_again(tmp_path: Path) -> None:
    seen: list[str] = []
    load.write_passes(tmp_path / "passes", ["0", "1"], threads=1)
    with server(seen) as address:
        told = load.attempts(
            address, "/attempt", tmp_path / "passes", connections=1, threads=1, at_most=1, again=True
        )
    assert told.requests > 2
    assert set(seen) == {"0", "1"}
    assert told.seconds == 1
