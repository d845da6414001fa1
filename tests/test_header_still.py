"""The header does not move on a page that comes in pieces."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, ViewportSize

from tests.conftest import DESK, PHONE
from tests.test_budgets import OBSERVE

BREAK = b'<ul class="site-personal"'
PAUSE = 1.5
"""Seconds between the two halves of the page: enough for a browser to draw the first."""
FLOWS = ".site-header-row { display: flex !important; flex-wrap: wrap } .search { flex: 1 1 14rem }"
Change = Callable[[bytes], bytes]


@contextmanager
def in_halves(shop: str, change: Change) -> Iterator[str]:
    """Serve the shop with each page broken in the middle of its header; yield the address."""

    class Halves(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with urlopen(shop + self.path) as answer:  # noqa: S310 - our own server
                kind, body = answer.headers["Content-Type"], answer.read()
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            if kind.startswith("text/html"):
                first, sign, rest = change(body).partition(BREAK)
                self.wfile.write(first)
                self.wfile.flush()
                time.sleep(PAUSE)
                body = sign + rest
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Halves) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def moved(chromium: Browser, shop: str, size: ViewportSize, change: Change) -> float:
    with in_halves(shop, change) as site:
        page = chromium.new_page(viewport=size)
        page.add_init_script(OBSERVE)
        page.goto(f"{site}/search/?q=lamp", wait_until="networkidle")
        page.wait_for_timeout(200)
        found: float = page.evaluate("seen.shift")
        page.close()
    return found


@pytest.mark.browser
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_header_that_comes_in_two_halves_does_not_move(
    chromium: Browser, shop: str, size: ViewportSize
) -> None:
    assert moved(chromium, shop, size, lambda page: page) == 0


@pytest.mark.browser
def test_control_a_header_whose_parts_have_no_places_moves(chromium: Browser, shop: str) -> None:
    def flowing(page: bytes) -> bytes:
        return page.replace(b"</head>", f"<style>{FLOWS}</style></head>".encode())

    assert moved(chromium, shop, DESK, flowing) > 0
