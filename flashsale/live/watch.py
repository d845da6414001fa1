"""The operators who watch sales: what a worker drew for them is passed on as it is."""

from collections.abc import Iterator

from flashsale.live import events
from flashsale.live.listener import Listener

LIFE = 60.0
"""Seconds after which an operator's stream ends; the page comes back at once, with its newer pass."""
BACK_MS = 250


class Watch:
    """Who listens to the figures of which sale, in which language: both are one key, `7 zh-hans`."""

    def __init__(self) -> None:
        self._listeners: dict[bytes, list[Listener]] = {}

    def join(self, key: bytes, listener: Listener) -> None:
        """Add a listener."""
        self._listeners.setdefault(key, []).append(listener)
        listener.push("hello", b"retry: %d\n\n" % BACK_MS)

    def leave(self, key: bytes, listener: Listener) -> None:
        """Forget a listener."""
        left = [one for one in self._listeners.get(key, ()) if one is not listener]
        if left:
            self._listeners[key] = left
        else:
            self._listeners.pop(key, None)

    def tell(self, message: bytes) -> int:
        """Pass figures on: the first line is the key, the rest one line of JSON. Return how many hear it."""
        key, _, document = message.partition(b"\n")
        found = self._listeners.get(key, ())
        data = events.event("figures", document) if found else b""
        for listener in found:
            listener.push("figures", data)
        return len(found)

    def __iter__(self) -> Iterator[Listener]:
        return iter([one for some in self._listeners.values() for one in some])
