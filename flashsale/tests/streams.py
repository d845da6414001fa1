"""How the tests listen: a stream of events over a plain connection, read as a browser reads it."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.conf import settings

from accounts.models import User
from flashsale.models import SaleItem
from flashsale.passes import WATCH, Signer
from flashsale.tests.gates import a_pass

WITHIN = 10.0


class Event(NamedTuple):
    """One event: its name, its id (empty for none), and what it says."""

    name: str
    id: str
    data: dict[str, Any]


class Stream:
    """One open stream. `status` and `headers` are those of the answer; `retry` is the last one told (ms)."""

    def __init__(self, address: str, path: str, headers: dict[str, str]) -> None:
        parts = urlsplit(address)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=WITHIN)
        lines = [f"GET {path} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._file = self.socket.makefile("rb")
        self.status = int(self._file.readline().split()[1])
        fields = iter(lambda: self._file.readline().decode().strip(), "")
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in fields)}
        self.retry = 0
        self.comments = 0

    def lines(self) -> Iterator[str]:
        """Yield the lines of the body; ends when the server has ended it."""
        rest = ""
        while size := int(self._file.readline().strip() or b"0", 16):
            rest += self._file.read(size).decode()
            self._file.readline()
            *whole, rest = rest.split("\n")
            yield from whole

    def events(self) -> Iterator[Event]:
        """Yield events as they come."""
        fields: dict[str, str] = {}
        for line in self.lines():
            name, _, value = line.partition(": ")
            if line and name in ("id", "event", "data"):
                fields[name] = value
            elif name == "retry":
                self.retry = int(value)
            elif line.startswith(":"):
                self.comments += 1
            elif fields:
                yield Event(fields["event"], fields.get("id", ""), json.loads(fields["data"]))
                fields = {}

    def wait(self, name: str, **facts: Any) -> Event:
        """Return the next event of that name whose data says at least these facts; others are passed over."""
        deadline = time.monotonic() + WITHIN
        for event in self.events():
            if event.name == name and facts.items() <= event.data.items():
                return event
            if time.monotonic() > deadline:
                break
        raise AssertionError(f"There was no event {name} with {facts}.")

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self.socket.close()


def watching(item: SaleItem, user: User, *, language: str = "en", **claim: Any) -> tuple[str, dict[str, str]]:
    """Return the path of an operator's stream and the headers of his page; `claim` changes his pass."""
    facts: dict[str, Any] = {
        "sale": item.sale_id,
        "user": user.pk,
        "expires_at": int(time.time()) + 60,
        "purpose": WATCH,
    }
    text = f"{settings.WATCH_COOKIE}={Signer(settings.PASS_KEYS).issue(**facts | claim)}"
    return f"{path_of(item)}?figures={language}", {"Cookie": text, "Sec-Fetch-Site": "same-origin"}


def path_of(item: SaleItem) -> str:
    """Return the address of the stream of the item's sale."""
    return f"/gate/sales/{item.sale_id}/events"


def cookie(item: SaleItem, user: User) -> dict[str, str]:
    """Return the headers of a page of ours that opens a stream."""
    text = f"{settings.PASS_COOKIE}={a_pass(item, user)}"
    return {"Cookie": text, "Sec-Fetch-Site": "same-origin", "Accept": "text/event-stream"}


@contextmanager
def listening(address: str, item: SaleItem, user: User, **more: str) -> Iterator[Stream]:
    """Open a shopper's stream."""
    stream = Stream(address, path_of(item), cookie(item, user) | more)
    try:
        yield stream
    finally:
        stream.close()
