"""Django's local memory without its copies: for pages and rows that are the same for everybody."""

from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache


class KeptCache(LocMemCache):
    """What one gets is the very object that was set, for all threads at once: nobody changes it.

    Pickling a sale's row for each shopper cost more than most of what was saved by keeping it. `get` and
    `set` are all there is.
    """

    def get(self, key: Any, default: Any = None, version: int | None = None) -> Any:
        """Return the object, `default` where there is none or its time is over."""
        key = self.make_and_validate_key(key, version=version)
        with self._lock:
            return default if self._has_expired(key) else self._cache[key]

    def set(
        self, key: Any, value: Any, timeout: float | None = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        """Keep the object for `timeout` seconds."""
        key = self.make_and_validate_key(key, version=version)
        with self._lock:
            self._set(key, value, timeout)
