"""The mail server of a run: takes every letter and remembers when it came."""

import email
import time
from typing import Any

from aiosmtpd.controller import Controller

from shop.up.ports import LOOPBACK, free_port


class Postbox:
    """`letters` are (time in ns, Message-ID), in the order in which they came."""

    def __init__(self) -> None:
        self.letters: list[tuple[int, str]] = []
        self.port = free_port()
        self._controller = Controller(self, hostname=LOOPBACK, port=self.port)
        self._controller.start()

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's
        """Take one letter."""
        message = email.message_from_bytes(envelope.content)
        self.letters.append((time.monotonic_ns(), str(message["Message-ID"])))
        return "250 taken"

    def stop(self) -> None:
        """Close the box."""
        self._controller.stop()
