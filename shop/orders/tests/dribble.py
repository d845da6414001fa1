"""A relay before a mail server that hands on its answers a byte at a time."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from select import select
from threading import Event, Thread
from typing import Any

LOOPBACK, PAUSE = "127.0.0.1", 0.15


class Relay:
    """From `after`, said by the client, on, each byte of an answer takes PAUSE, until it is told to hurry."""

    def __init__(self, server: int, after: bytes) -> None:
        self.server, self.after = server, after
        self.begun, self.hurry = Event(), Event()

    def serve_one(self, door: socket.socket) -> None:
        """Serve one connection until either side closes it."""
        heard = b""
        with (
            suppress(OSError),
            door.accept()[0] as client,
            socket.create_connection((LOOPBACK, self.server)) as server,
        ):
            while True:
                for side in select([client, server], [], [])[0]:
                    if not (said := side.recv(65536)):
                        return
                    if side is client:
                        heard += said
                        server.sendall(said)
                    elif self.after in heard:
                        self._dribble(said, client)
                    else:
                        client.sendall(said)

    def _dribble(self, answer: bytes, client: socket.socket) -> None:
        self.begun.set()
        for byte in answer:
            client.sendall(bytes([byte]))
            self.hurry.wait(PAUSE)


@contextmanager
def dribbling(settings: Any, *, after: bytes) -> Iterator[Relay]:
    """Let Django send through a relay to the mail server that it would send to."""
    relay = Relay(settings.EMAIL_PORT, after)
    with socket.create_server((LOOPBACK, 0)) as door:
        settings.EMAIL_PORT = door.getsockname()[1]
        thread = Thread(target=relay.serve_one, args=[door])
        thread.start()
        yield relay
        relay.hurry.set()
        thread.join()
