"""A browser as far as the benchmark needs one: keeps its connection and its cookies, times every answer."""

import asyncio
import random
import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlencode

ANSWER_SECONDS = 30.0
IDLE_SECONDS = 2.0
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass(frozen=True)
class Page:
    """An answer: status, text (Latin-1 of the bytes), and how long it took (ms)."""

    status: int
    text: str
    ms: float

    def token(self) -> str:
        """Return the token of the page's form; an empty text where there is none."""
        found = CSRF.search(self.text)
        return found[1] if found else ""


@dataclass
class Browser:
    """One shopper's browser, behind a proxy that speaks TLS and names the shopper's address."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    client: str = ""
    _used_at: float = field(default=0.0, repr=False)
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        # Every shopper has an address of his own, so that limits by address do not meet the crowd's one.
        parts = (random.randint(1, 254) for _ in range(3))  # noqa: S311 - an address, no secret
        self.client = self.client or f"10.{'.'.join(map(str, parts))}"

    async def get(self, path: str) -> Page:
        """Ask for a page."""
        return await self._ask("GET", path, b"", "")

    async def post(self, path: str, fields: dict[str, str]) -> Page:
        """Send a form."""
        more = f"Origin: https://{self.address}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        return await self._ask("POST", path, urlencode(fields).encode(), more)

    def close(self) -> None:
        """Hang up."""
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None

    async def _ask(self, method: str, path: str, body: bytes, more: str) -> Page:
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self.close()  # the server is about to hang up
        self._used_at = time.monotonic()
        if self._streams is None:
            host, _, port = self.address.partition(":")
            self._streams = await asyncio.open_connection(host, int(port))
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.address}\r\nX-Forwarded-Proto: https\r\n"
        head += f"X-Real-IP: {self.client}\r\nCookie: {cookies}\r\n{more}Content-Length: {len(body)}\r\n\r\n"
        started = time.perf_counter()
        self._streams[1].write(head.encode() + body)
        async with asyncio.timeout(ANSWER_SECONDS):
            return await self._read(self._streams[0], started)

    async def _read(self, reader: asyncio.StreamReader, started: float) -> Page:
        status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        length = 0
        for line in lines:
            name, _, value = line.partition(": ")
            if name.lower() == "content-length":
                length = int(value)
            elif name.lower() == "set-cookie":
                cookie, _, kept = value.partition(";")[0].partition("=")
                self.cookies[cookie.strip()] = kept
        text = (await reader.readexactly(length)).decode("latin-1")
        return Page(int(status.split()[1]), text, (time.perf_counter() - started) * 1000)
