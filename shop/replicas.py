"""Public pages are read from a copy of the database, where there is one and it knows enough.

A page asks for it by `read_from_replica`; everything else, and all that is written, goes to the primary. The
copy knows enough if it has what this reader wrote last (a cookie carries how far the primary's log had grown
then), and lags at most `REPLICA_MAX_LAG` seconds. A copy that is away is tried again a few seconds later.

Lag is measured without a clock of the copy's and without writing: each process remembers when it saw the
primary's log grow to where, and the oldest of these points that the copy has not replayed is its lag.
"""

import logging
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import wraps
from threading import Lock
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

logger = logging.getLogger(__name__)
PRIMARY, REPLICA = "default", "replica"
GROWN = "SELECT pg_current_wal_insert_lsn()"
REPLAYED = "SELECT pg_last_wal_replay_lsn()"
AWAY = (OperationalError, InterfaceError)
COOKIE = "wrote"
COOKIE_SECONDS = 600
POSITION = re.compile(r"[0-9A-F]{1,8}-[0-9A-F]{1,8}")  # as in a cookie, where / would have to be quoted
SAFE = ("GET", "HEAD", "OPTIONS", "TRACE")
LOOK_EVERY = 1.0
TRY_AGAIN = 5.0
_reads_replica: ContextVar[bool] = ContextVar("reads_replica", default=False)
View = Callable[..., HttpResponse]


class Router:
    """Django's router: a page that may reads the copy; all else is read from and written to the primary."""

    def db_for_read(self, _model: type[Model], **_hints: Any) -> str:
        """Name the database of a query."""
        return REPLICA if _reads_replica.get() else PRIMARY

    def db_for_write(self, _model: type[Model], **_hints: Any) -> str:
        """Also what was read from the copy is written to the primary."""
        return PRIMARY

    def allow_relation(self, *_objects: Any, **_hints: Any) -> bool:
        """Both are one database."""
        return True

    def allow_migrate(self, db: str, *_: Any, **_hints: Any) -> bool | None:
        """The copy follows by itself."""
        return False if db == REPLICA else None


def position(text: str) -> int:
    """Read a place in the log, such as 0/16B3748, as a number of bytes."""
    high, low = text.split("/")
    return (int(high, 16) << 32) + int(low, 16)


def _ask(alias: str, question: str) -> str:
    with connections[alias].cursor() as cursor:
        cursor.execute(question)
        return str(cursor.fetchone()[0])


class Watch:
    """What this process knows of the copy: where it is in the log, and how many seconds behind."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._seen: deque[tuple[float, int]] = deque(maxlen=600)
        self._looked_at = self._away_until = float("-inf")
        self.replayed = 0

    def lag(self) -> float:
        """Seconds by which the copy is behind, as far as this process has seen."""
        seen = next((at for at, grown in self._seen if grown > self.replayed), None)
        return time.monotonic() - seen if seen is not None else 0.0

    def is_away(self) -> bool:
        """Whether it failed a moment ago."""
        return time.monotonic() < self._away_until

    def lose(self, error: Exception) -> None:
        """Leave it alone for a while."""
        logger.warning("The replica is not used for %.0f s: %s", TRY_AGAIN, str(error).strip())
        self._away_until = time.monotonic() + TRY_AGAIN
        connections[REPLICA].close()

    def look(self) -> None:
        """Ask both databases where they are, once a second whoever asks; never raises."""
        with self._lock:
            now = time.monotonic()
            if now - self._looked_at < LOOK_EVERY or self.is_away():
                return
            self._looked_at = now
            with suppress(*AWAY):  # without the primary the copy still shows the catalogue
                self._seen.append((now, position(_ask(PRIMARY, GROWN))))
            try:
                self.replayed = position(_ask(REPLICA, REPLAYED))
            except (*AWAY, ValueError) as error:  # ValueError: it is no copy of anything
                self.lose(error)
            while self._seen and self._seen[0][1] <= self.replayed:
                self._seen.popleft()

    def knows(self, wanted: str) -> bool:
        """Whether it has everything up to a place in the log, is not away, and not too far behind."""
        self.look()
        if self.is_away() or self.lag() > settings.REPLICA_MAX_LAG:
            return False
        return not POSITION.fullmatch(wanted) or position(wanted.replace("-", "/")) <= self.replayed


watch = Watch()


@contextmanager
def _reading() -> Iterator[None]:
    token = _reads_replica.set(True)
    try:
        yield
    finally:
        _reads_replica.reset(token)


def read_from_replica(view: View) -> View:
    """Draw a page that writes nothing from the copy; from the primary if the copy breaks meanwhile."""

    @wraps(view)
    def drawn(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        may = REPLICA in settings.DATABASES and request.method in SAFE
        if may and watch.knows(request.COOKIES.get(COOKIE, "")):
            try:
                with _reading():
                    return view(request, *args, **kwargs)
            except AWAY as error:
                watch.lose(error)
        return view(request, *args, **kwargs)

    return drawn


def _mark(response: HttpResponseBase, grown: str) -> None:
    value, secure = grown.replace("/", "-"), not settings.DEBUG
    response.set_cookie(COOKIE, value, max_age=COOKIE_SECONDS, secure=secure, httponly=True, samesite="Lax")


def remember_writes(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Any:
    """Middleware: whoever has just written carries along how far the log had grown."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if REPLICA in settings.DATABASES and request.method not in SAFE:
            with suppress(*AWAY):  # what was written is written
                _mark(response, _ask(PRIMARY, GROWN))
        return response

    return answer


def check() -> None:
    """Raise where the copy does not answer or is no copy."""
    position(_ask(REPLICA, REPLAYED))


def collect() -> Iterable[Metric]:
    """Yield how far the copy is behind, and whether it is used."""
    if REPLICA not in settings.DATABASES:
        return
    watch.look()
    yield GaugeMetricFamily("shop_replica_lag_seconds", "How far the replica is behind.", value=watch.lag())
    yield GaugeMetricFamily("shop_replica_up", "0 while the replica is away.", value=not watch.is_away())
