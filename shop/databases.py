"""How Django opens PostgreSQL, the primary and a replica alike."""

from typing import Any

import environ

# A frozen client cannot hold a row for ever; nobody waits on a lock for longer than a shopper would.
LIMITS = "-c lock_timeout=2s -c statement_timeout=10s -c idle_in_transaction_session_timeout=5s"


def describe(url: str, *, connect_timeout: int, keep: int, pooled: bool) -> dict[str, Any]:
    """Return Django's description of a database; `keep` a connection and `connect_timeout` in seconds.

    `pooled`: behind PgBouncer in transaction mode a connection is somebody else's after each transaction, so
    nothing may rest on it. PgBouncer takes no options: give the role the limits above (`docs/stores.md`).
    """
    found: dict[str, Any] = environ.Env.db_url_config(url)
    options = {"connect_timeout": connect_timeout} | ({} if pooled else {"options": LIMITS})
    return found | {
        "CONN_MAX_AGE": keep,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": pooled,
        "OPTIONS": found.get("OPTIONS", {}) | options,
    }
