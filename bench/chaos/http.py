"""One request over one connection: what a shopper's browser sends, and what came back."""

import asyncio
import re
from dataclasses import dataclass

from shop.up.ports import LOOPBACK

CSRF = "a" * 32


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers in lower case (repeated ones joined by a line break) and body."""

    status: int
    headers: dict[str, str]
    body: str

    def cookie(self, name: str) -> str:
        """A cookie that was set; empty for none."""
        found = re.search(rf"(?:^|\n){re.escape(name)}=([^;]+)", self.headers.get("set-cookie", ""))
        return found[1] if found else ""


async def ask(
    port: int, method: str, path: str, *, headers: dict[str, str], body: str = "", seconds: float = 6.0
) -> Answer:
    """Send one request. Raises OSError, TimeoutError or ValueError where no whole answer comes."""
    async with asyncio.timeout(seconds):
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        try:
            sent = {"Host": LOOPBACK, "Connection": "close", "Content-Length": str(len(body)), **headers}
            head = "".join(f"{name}: {value}\r\n" for name, value in sent.items())
            writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n{body}".encode())
            return _read(await reader.read())
        finally:
            writer.close()


def _read(data: bytes) -> Answer:
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        known = headers.get(name.lower())
        headers[name.lower()] = f"{known}\n{value}" if known else value
    if int(headers.get("content-length", len(body))) > len(body):
        raise ValueError("The answer was cut off.")
    return Answer(int(first.split(" ")[1]), headers, body.decode("utf-8", "replace"))


def browser(session: str, *cookies: str) -> dict[str, str]:
    """Headers of a browser that is logged in and came from one of our pages."""
    all_cookies = (f"__Host-sessionid={session}", f"__Host-csrftoken={CSRF}", *cookies)
    return {
        "Cookie": "; ".join(all_cookies),
        "X-Forwarded-Proto": "https",
        "X-CSRFToken": CSRF,
        "Referer": f"https://{LOOPBACK}/",
        "Content-Type": "application/x-www-form-urlencoded",
    }
