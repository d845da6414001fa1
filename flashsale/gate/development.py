"""Development's one port: streams of events go to live, the rest of `/gate/` to the gate, all else to Django.

In production web, gate and live are processes of their own and this module is not used.
"""

from typing import Any

from shop.asgi import application as django

# After Django, which has set its settings module.
from flashsale.gate.app import application as gate  # isort: skip
from flashsale.live.app import application as live  # isort: skip


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Route one connection by its path."""
    path = scope.get("path", "")
    if path.startswith("/gate/live/") or (path.startswith("/gate/sales/") and path.endswith("/events")):
        await live(scope, receive, send)
    elif path.startswith("/gate/"):
        await gate(scope, receive, send)
    else:
        await django(scope, receive, send)
