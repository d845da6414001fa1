"""How the log is written: lines for people, or one JSON object a line for machines (`LOG_FORMAT`).

A line bears its sentence and the fields named here, never whatever else hangs on a record: what libraries
put there (a request with its query, a task with its arguments) may let somebody in.
"""

import logging
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from pythonjsonlogger.json import JsonFormatter

IDS = ("rid", "sale", "order", "mail")
"""What a line is about: a reservation, a sale's key, an order's number, a mail's Message-ID."""
KEPT = ("time", "level", "logger", "message", *IDS, "exc_info", "stack_info")
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class Plain(logging.Formatter):
    """The sentence, and behind it what it is about: `… reservation paid rid=3-1-17 order=2026-00417`."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the base class's name
        """Write a line; of an exception only what comes before its traceback."""
        found = ((name, getattr(record, name, None)) for name in IDS)
        return super().formatMessage(record) + "".join(f" {name}={value}" for name, value in found if value)


class Json(JsonFormatter):
    """One object, times in UTC."""

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Keep the fields that are named above and have a value, in their order."""
        return {name: log_data[name] for name in KEPT if log_data.get(name)}


FORMATTERS: dict[str, dict[str, Any]] = {
    "plain": {"()": Plain, "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s"},
    "json": {
        "()": Json,
        "fmt": ["levelname", "name", "message"],
        "rename_fields": {"levelname": "level", "name": "logger"},
        "timestamp": "time",
    },
}


def describe(*, form: str, level: str) -> dict[str, Any]:
    """Return Django's LOGGING. Raises ImproperlyConfigured, which names the setting."""
    if form not in FORMATTERS:
        raise ImproperlyConfigured(f"Set LOG_FORMAT to {' or '.join(FORMATTERS)}.")
    if level not in LEVELS:
        raise ImproperlyConfigured(f"Set LOG_LEVEL to one of {', '.join(LEVELS)}.")
    console = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "line"}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": FORMATTERS[form]},
        "handlers": {"console": console},
        "root": {"handlers": ["console"], "level": level},
    }
