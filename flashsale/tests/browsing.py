"""A shop with its gate behind one port, on the test's own database, for browser tests."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import BrowserContext, Page

from flashsale.tests.gates import ask
from shop.squeezed import JOINED, squeezed
from shop.up.ports import free_port

STARTED_WITHIN = 60.0


@contextmanager
def running_site(**settings_of_it: str) -> Iterator[str]:
    """Run pages and gate on a free port, or on PORT; yield the address. The test's database must exist."""
    port = int(settings_of_it.get("PORT") or free_port())
    database = settings.DATABASE_URL.rsplit("/", 1)[0] + "/" + str(connection.settings_dict["NAME"])
    command = [sys.executable, "-m", "granian", "--interface", "asginl", "--http", "1", "--no-ws"]
    command += ["--workers-kill-timeout", "2"]  # open streams are not waited for
    command += ["--port", str(port), "--log-level", "warning", "flashsale.gate.development:application"]
    environment = {"DATABASE_URL": database, "DJANGO_DEBUG": "1", "PORT": str(port)} | settings_of_it
    process = subprocess.Popen(command, env=os.environ | environment)
    try:
        _wait(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=15)


def _wait(site: str) -> None:
    deadline = time.monotonic() + STARTED_WITHIN
    while time.monotonic() < deadline:
        try:
            if ask(site, "GET", "/sales/")[0] == 200:
                return
        except (OSError, HTTPException):
            time.sleep(0.2)
    raise TimeoutError("The shop did not start.")


def serve_joined(page: Page) -> None:
    """Let scripts that production serves in one file be one here, too."""
    for name in JOINED:
        served = squeezed(name, "")
        page.route(
            f"**/static/{name}",
            lambda route, _, served=served: route.fulfill(body=served, content_type="text/javascript"),
        )


def lend_session(client: Client, context: BrowserContext, site: str) -> None:
    """Let a browser be logged in as the test client is."""
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": site}])


def lend_cookies(client: Client, context: BrowserContext, site: str) -> None:
    """Give a browser all that the test client was given: its login, its pass."""
    for name, cookie in client.cookies.items():
        context.add_cookies(
            [{"name": name, "value": cookie.value, "domain": "127.0.0.1", "path": cookie["path"] or "/"}]
        )


def findings(page: Page, *, within: str | None = None) -> list[str]:
    """What axe finds on a page (WCAG 2.2 A, AA and best practice), and whether it scrolls sideways.

    `within` names the part that is ours, where a theme draws the rest.
    """
    answer = Axe().run(page, context=within).response
    found = [f"{finding['id']} at {page.url}" for finding in answer["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append(f"scrolls sideways at {page.url}")
    return found
