"""A network between two units that a test can cut."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Wire:
    """Passes connections on to an address.

    `state` is open; cut: nothing gets through; or deaf: requests arrive there and no answer comes back.
    """

    def __init__(self, url: str) -> None:
        self.state = "open"
        parts = urlsplit(url)
        self._there = (str(parts.hostname), parts.port or 80)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        """Take the wire away."""
        self._socket.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                here, _ = self._socket.accept()
                threading.Thread(target=self._carry, args=(here,), daemon=True).start()

    def _carry(self, here: socket.socket) -> None:
        with here:
            if self.state == "cut":
                return
            is_deaf = self.state == "deaf"
            with suppress(OSError), socket.create_connection(self._there, timeout=5) as there:
                here.settimeout(5)
                request = here.recv(65536)
                while b"\r\n\r\n" not in request or _misses_body(request):
                    request += here.recv(65536)
                there.sendall(request)
                while answer := there.recv(65536):
                    if is_deaf:
                        return
                    here.sendall(answer)


def _misses_body(request: bytes) -> bool:
    head, _, body = request.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) < int(value)
    return False


@contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    """Lay a wire to an address."""
    wire = Wire(url)
    try:
        yield wire
    finally:
        wire.close()
