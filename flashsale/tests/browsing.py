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
ASKED_FOR = {
    "email": ("email", "email"),
    "login": ("email", "email"),
    "full_name": ("name", ""),
    "country": ("country", ""),
    "line1": ("address-line1", ""),
    "line2": ("address-line2", ""),
    "postcode": ("postal-code", ""),
    "city": ("address-level2", ""),
    "phone": ("tel", "tel"),
    "password": ("current-password", ""),
    "oldpassword": ("current-password", ""),
    "password1": ("new-password", ""),
    "password2": ("new-password", ""),
    "code": ("one-time-code", "numeric"),
    "quantity": ("", "numeric"),
    "captcha": ("", ""),
    "answer": ("", ""),
    "sort": ("", ""),
    "q": ("", ""),
}
"""What a browser may fill into a field of this name, and which keys a phone shows for it."""
FAULTS_OF_FIELDS = """(asked) => [...document.querySelectorAll("input, select, textarea")].flatMap((one) => {
  const isSeen = (node) => node.checkVisibility() && node.getBoundingClientRect().width > 1;
  if (["hidden", "submit", "button"].includes(one.type) || !one.checkVisibility()) return [];
  const faults = [];
  // A field to search needs no word of its own: the button beside it has a sign that says what it is for.
  const names = one.type === "search" ? one.form.querySelectorAll("button") : one.labels;
  if (!one.labels.length || ![...names].some(isSeen)) faults.push("has no label that is seen");
  if (one.autocomplete === "off" || one.form?.autocomplete === "off") faults.push("may not be filled in");
  if (one.maxLength > 0) faults.push("cuts what is typed");
  const paste = new ClipboardEvent("paste", { bubbles: true, cancelable: true });
  if (!one.dispatchEvent(paste)) faults.push("takes nothing pasted");
  const wanted = ["radio", "checkbox"].includes(one.type) ? ["", ""] : asked[one.name];
  if (`${wanted}` !== `${[one.autocomplete, one.inputMode]}`) {
    faults.push(`is filled in as ${[one.autocomplete, one.inputMode]}`);
  }
  return faults.map((fault) => `${one.name} ${fault}`);
})"""


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


def faults_of_fields(page: Page) -> list[str]:
    """What is wrong with the fields of a page: each has a label, is known to browsers and uncut."""
    found: list[str] = page.evaluate(FAULTS_OF_FIELDS, ASKED_FOR)
    return [f"{fault} at {page.url}" for fault in found]


def findings(page: Page, *, within: str | None = None) -> list[str]:
    """What axe finds on a page (WCAG 2.2 A, AA and best practice), and whether it scrolls sideways.

    `within` names the part that is ours, where a theme draws the rest.
    """
    answer = Axe().run(page, context=within).response
    found = [f"{finding['id']} at {page.url}" for finding in answer["violations"]]
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        found.append(f"scrolls sideways at {page.url}")
    return found
