"""Django's sessions (rows, read from the cache), with one statement where a session that exists is saved."""

import logging

from django.contrib.sessions.backends import cached_db
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection

log = logging.getLogger(__name__)
UPDATE = "UPDATE django_session SET session_data = %s, expire_date = %s WHERE session_key = %s"


class SessionStore(cached_db.SessionStore):
    """Saving is on every shopper's way into a sale, where the library opens a transaction around one row."""

    def save(self, must_create: bool = False) -> None:
        """Write row and cache; UpdateError if the session was ended meanwhile."""
        if must_create or self.session_key is None:
            super().save(must_create)
            return
        data = self._get_session()  # type: ignore[attr-defined]
        with connection.cursor() as cursor:
            cursor.execute(UPDATE, [self.encode(data), self.get_expiry_date(), self.session_key])
            if cursor.rowcount != 1:
                raise UpdateError
        try:
            self._cache.set(self.cache_key, data, self.get_expiry_age())  # type: ignore[attr-defined]
        except Exception:  # the row is the truth; the cache is read first, and only it is late
            log.exception("A session was not written to the cache")
