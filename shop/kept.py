"""A cache in the memory of a process, without copies: for pages and rows that are the same for everybody."""

import time
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

MOST = 1000
_kept: dict[str, tuple[float, Any]] = {}
"""Until when (s, monotonic) and what. Every thread has a cache of its own, and all of them share this."""


class KeptCache(BaseCache):
    """What one gets is the very object that was set, for all threads at once: nobody changes it.

    Django's local memory pickles, and a sale's row out of a pickle cost each shopper on the way in nearly as
    much as the database. Here are `get`, `set` and `clear`, which is all that is asked for.
    """

    def __init__(self, _location: str, params: dict[str, Any]) -> None:
        super().__init__(params)

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return the object, `default` where there is none or its time is over."""
        until, value = _kept.get(self.make_key(key, version), (0.0, None))
        return value if time.monotonic() < until else default

    def set(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Keep the object for `timeout` seconds."""
        if len(_kept) >= MOST:
            _kept.clear()
        seconds = self.default_timeout if timeout is DEFAULT_TIMEOUT else timeout
        until = float("inf") if seconds is None else time.monotonic() + seconds
        _kept[self.make_key(key, version)] = until, value

    def clear(self) -> None:
        """Keep nothing."""
        _kept.clear()
