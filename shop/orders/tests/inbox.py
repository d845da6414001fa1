"""A mail server for tests: what leaves the outbox arrives here, over SMTP."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message


class Inbox(Message):
    """A mail server that keeps what it gets and refuses one address."""

    def __init__(self) -> None:
        super().__init__(EmailMessage)
        self.mails: list[Any] = []
        self.connections: set[int] = set()

    async def handle_RCPT(self, *call: Any) -> str:  # noqa: N802
        _server, session, envelope, to, _options = call
        if to.startswith("nobody@"):
            return "550 no such mailbox"
        self.connections.add(id(session))
        envelope.rcpt_tos.append(to)
        return "250 OK"

    def handle_message(self, message: Any) -> None:
        self.mails.append(message)


@contextmanager
def receiving(settings: Any, **tls: Any) -> Iterator[Inbox]:
    """Run a mail server and let Django send to it; `tls` is `ssl_context`, or for STARTTLS `tls_context`."""
    handler = Inbox()
    server: Any = Controller(handler, hostname="127.0.0.1", port=free_port(), **tls)
    server.start()
    settings.EMAIL_BACKEND = "shop.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_SSL, settings.EMAIL_USE_TLS = "ssl_context" in tls, "tls_context" in tls
    settings.EMAIL_TIMEOUT = 5
    yield handler
    server.stop()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
