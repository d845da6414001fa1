"""The entry of a rehearsal, over real HTTP: a farm shares a network and browsers, everybody else has his own.

An address of a person's own is one of 127.0.0.0/8, from which his connection comes: the shop sees and counts
it as it does any other. So the shop must be on this machine, and its system must know these addresses.
"""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import timedelta
from http.client import parse_headers
from http.cookies import SimpleCookie
from importlib import import_module
from io import BytesIO
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.middleware.csrf import CSRF_SECRET_LENGTH
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string

from accounts import devices
from accounts.models import User
from flashsale.errors import SaleError
from flashsale.models import Sale
from flashsale.rehearsal import shadow
from flashsale.rehearsal.people import Person

FARM_EVERY = 0.05
"""Seconds between two tries of the farm: one account after the other, over and over."""
SIDE_BY_SIDE = 24
AGAIN_AFTER, ANSWER_SECONDS = 1.0, 10.0
FIRST_ADDRESS = ip_address("127.16.0.0")
OF_THE_FARM = "127.9.9.9"
LOGGED_IN_FOR = timedelta(hours=2)


class Door:
    """Lets people into the shadow of a sale; of the farm's `tries` so many were `slowed` (429)."""

    def __init__(
        self, *, gate: str, copy: Sale, users: Sequence[int], farm: Sequence[int], browsers: int
    ) -> None:
        """`users` come alone; the accounts of the `farm` from one network, in so many browsers.

        Raises SaleError where the shop is not on this machine.
        """
        self._netloc, address = urlsplit(gate).netloc, urlsplit(gate)
        self._host, self._port = address.hostname or "", address.port
        if not is_here(gate):
            raise SaleError("A farm is rehearsed at a shop on this machine, such as http://127.0.0.1:8000.")
        self._path = reverse("sale-enter", args=[copy.slug])
        marks = [secrets.token_urlsafe(12) for _ in range(browsers)]
        self._marks = {user: marks[n % browsers] for n, user in enumerate(farm)}
        self._sources = {user: str(FIRST_ADDRESS + n) for n, user in enumerate(users)}
        self._sessions = log_in(copy, [*users, *farm])
        self._room, self._farm = asyncio.Semaphore(SIDE_BY_SIDE), asyncio.Lock()
        self.tries = self.slowed = 0

    async def lead_in(self, one: Person) -> None:
        """Try until the person has a pass. Raises SaleError where this is not the address of a shop."""
        turn = self._try_of_farm if one.kind == "farm" else self._try_alone
        while not one.token:
            await turn(one)

    async def _try_of_farm(self, one: Person) -> None:
        async with self._farm:  # whoever is refused stands behind all the others again
            status, one.token = await self._ask(one.user, OF_THE_FARM)
            self.tries += 1
            self.slowed += status == 429
            await asyncio.sleep(FARM_EVERY)

    async def _try_alone(self, one: Person) -> None:
        async with self._room:
            _status, one.token = await self._ask(one.user, self._sources[one.user])
        if not one.token:
            await asyncio.sleep(AGAIN_AFTER)

    async def _ask(self, user: int, source: str) -> tuple[int, str]:
        """Send the form of entry; return the status and the pass. Status 0: no answer came."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                status, given = await self._send(user, source)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            return 0, ""
        if status == 404:
            raise SaleError(f"Nobody can enter at http://{self._netloc}: is that the shop's address?")
        return status, given[settings.PASS_COOKIE].value if settings.PASS_COOKIE in given else ""

    async def _send(self, user: int, source: str) -> "tuple[int, SimpleCookie]":
        reader, writer = await asyncio.open_connection(self._host, self._port, local_addr=(source, 0))
        try:
            writer.write(self._request(user))
            answer = await reader.readuntil(b"\r\n\r\n")
        finally:
            writer.close()
        line, _, rest = answer.partition(b"\r\n")
        given: SimpleCookie = SimpleCookie()
        for text in parse_headers(BytesIO(rest)).get_all("set-cookie", []):
            given.load(text)
        return int(line.split()[1]), given

    def _request(self, user: int) -> bytes:
        mark = self._marks.get(user) or f"of {user}"
        token = get_random_string(CSRF_SECRET_LENGTH)
        cookies = {
            settings.SESSION_COOKIE_NAME: self._sessions[user],
            settings.CSRF_COOKIE_NAME: token,
            devices.COOKIE: devices.signed(mark, []),
        }
        lines = [
            f"POST {self._path} HTTP/1.1",
            f"Host: {self._netloc}",
            "X-Forwarded-Proto: https",
            f"Referer: https://{self._netloc}{self._path}",
            f"X-CSRFToken: {token}",
            f"Cookie: {'; '.join(f'{name}={value}' for name, value in cookies.items())}",
            "Connection: close",
            "Content-Length: 0",
        ]
        return "\r\n".join([*lines, "", ""]).encode()


def is_here(gate: str) -> bool:
    """Whether the shop at this address is on this machine, so that people can have networks of their own."""
    return urlsplit(gate).hostname in ("127.0.0.1", "localhost")


def log_in(copy: Sale, ids: Sequence[int]) -> dict[int, str]:
    """Log these shoppers of a shadow in and confirm their addresses; return the keys of their sessions."""
    store: Any = import_module(settings.SESSION_ENGINE).SessionStore()
    until, keys, rows, emails = timezone.now() + LOGGED_IN_FOR, {}, [], []
    for user in User.objects.filter(pk__in=ids):
        keys[user.pk] = f"{shadow.session_prefix(copy)}{secrets.token_hex(8)}"
        seen = {
            SESSION_KEY: str(user.pk),
            BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[-1],
            HASH_SESSION_KEY: user.get_session_auth_hash(),
        }
        rows.append(Session(session_key=keys[user.pk], session_data=store.encode(seen), expire_date=until))
        emails.append(EmailAddress(user=user, email=user.email, verified=True, primary=True))
    Session.objects.bulk_create(rows, batch_size=1000)
    EmailAddress.objects.bulk_create(emails, batch_size=1000)
    return keys
