"""Development's one port: `/gate/` goes to the gate, everything else to Django.

In production the gate and the web role are processes of their own and this module is not used.
"""

from typing import Any

from shop.asgi import application as django

# After Django, which has set its settings module.
from flashsale.gate.app import application as gate  # isort: skip


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Route one connection by its path."""
    if scope.get("path", "").startswith("/gate/"):
        await gate(scope, receive, send)
    else:
        await django(scope, receive, send)
