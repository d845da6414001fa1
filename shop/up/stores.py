"""The three stores: the ones named in the environment are used, the others are started here."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import redis

from shop import store

from . import postgres, valkey
from .messages import Trouble
from .processes import Process, rotate


class Stores:
    """What was started for one run, in order, and the addresses the shop is to use."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.logs = folder / "logs"
        self.processes: list[Process] = []
        self.urls: dict[str, str] = {}

    def start(self, given: dict[str, str], *, durable: bool = True) -> None:
        """Start each store that `given` (an environment) does not name; check those it names."""
        self.logs.mkdir(exist_ok=True)
        for name in ("postgres", "valkey", "cache"):
            rotate(self.logs / f"{name}.log")
        if given.get("DATABASE_URL"):
            _require_database(given["DATABASE_URL"])
        else:
            self._keep("DATABASE_URL", postgres.start(self.folder, self.logs, durable=durable))
        for variable, start in (("REDIS_URL", valkey.start_sale), ("CACHE_URL", valkey.start_cache)):
            if given.get(variable):
                _require_redis(variable, given[variable])
            else:
                self._keep(variable, start(self.folder, self.logs))
        self.urls = {
            name: given.get(name) or self.urls[name] for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL")
        }
        self.urls["CELERY_BROKER_URL"] = given.get("CELERY_BROKER_URL") or broker_url(self.urls["REDIS_URL"])

    def stop(self) -> None:
        """Stop what was started here, last one first."""
        for process in reversed(self.processes):
            process.stop(process.stop_seconds)

    def _keep(self, variable: str, started: tuple[Process, str]) -> None:
        process, url = started
        self.processes.append(process)
        self.urls[variable] = url


def broker_url(redis_url: str) -> str:
    """Return Celery's broker: database 1 of the server that keeps the sale's memory."""
    if "+" in urlsplit(redis_url).scheme:
        raise Trouble("Set CELERY_BROKER_URL too: Celery's broker is one server, or RabbitMQ.")
    return urlunsplit(urlsplit(redis_url)._replace(path="/1"))


def _address(url: str) -> str:
    """Return hosts and ports of a URL, without the password."""
    parts = urlsplit(url)
    return parts.netloc.rpartition("@")[2] or parts.path


def _require_database(url: str) -> None:
    if not url.startswith(("postgres://", "postgresql://")):
        raise Trouble(
            "DATABASE_URL names no PostgreSQL: it looks like postgres://user:password@host:5432/name."
        )
    try:
        psycopg2.connect(url, connect_timeout=5).close()
    except psycopg2.Error as error:
        reason = (str(error).strip().splitlines() or ["no answer"])[-1]
        raise Trouble(
            f"DATABASE_URL is set, but {_address(url)} does not let us in ({reason}): "
            "start it, mend the address, or unset DATABASE_URL to get a database of your own."
        ) from None


def _require_redis(variable: str, url: str) -> None:
    try:
        store.connect(url).ping()
    except (redis.RedisError, ValueError) as error:
        raise Trouble(
            f"{variable} is set, but {_address(url)} does not let us in ({error}): "
            f"start it, mend the address, or unset {variable} to get one of your own."
        ) from None
