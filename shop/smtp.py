"""SMTP within a time: a server that answers a byte at a time holds nobody for longer than PATIENCE.

EMAIL_TIMEOUT bounds one operation of the socket, and each byte that comes begins another one. How long a
whole answer may take, and all answers together, is bounded neither by smtplib nor by Django.
"""

import smtplib
import socket
from collections.abc import Callable
from functools import partial
from io import BufferedReader, RawIOBase
from time import monotonic
from typing import Any

from django.core.mail.backends.smtp import EmailBackend as DjangosBackend

PATIENCE = 60.0
"""Seconds from `open` to the last answer: once for opening a connection, once for each call that sends."""


class _Answers(RawIOBase):
    """What the server says. Each read waits for no longer than the time that is left to all of them."""

    def __init__(self, sock: socket.socket, wait: Callable[[], float]) -> None:
        super().__init__()
        self._sock, self._wait = sock, wait

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is there; raises TimeoutError when nothing comes in time."""
        wait = self._wait()
        if wait <= 0:
            raise TimeoutError("the mail server took too long over its answers")
        self._sock.settimeout(wait)
        return self._sock.recv_into(buffer)


class _Bounded(smtplib.SMTP):
    """An SMTP client that reads answers until `until()`, a moment by `monotonic`, and no longer."""

    def __init__(self, *args: Any, until: Callable[[], float], **kwargs: Any) -> None:
        self._until = until
        super().__init__(*args, **kwargs)

    def send(self, s: Any) -> None:
        """Send within the time that is left; once it is over, what is sent has to fit into the socket."""
        if self.sock:
            self.sock.settimeout(max(self._wait(), 0.001))
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Return the server's answer; raises SMTPServerDisconnected when the time is over."""
        if self.file is None and self.sock:
            self.file = BufferedReader(_Answers(self.sock, self._wait))
        return super().getreply()

    def _wait(self) -> float:
        return min(self.timeout, self._until() - monotonic())


class _BoundedTLS(_Bounded, smtplib.SMTP_SSL):
    """The same over TLS from the first byte on; the handshake has EMAIL_TIMEOUT as a whole."""


class EmailBackend(DjangosBackend):
    """Django's, with a clock over each conversation."""

    _until = 0.0

    @property
    def connection_class(self) -> Any:
        """Return what makes a client whose clock is this one's."""
        return partial(_BoundedTLS if self.use_ssl else _Bounded, until=lambda: self._until)

    def open(self) -> bool | None:
        """Open a connection, or keep the one there is, and start the clock anew, as every mail does."""
        self._until = monotonic() + PATIENCE
        return super().open()
