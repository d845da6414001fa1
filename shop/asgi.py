"""Development's one port: `/gate/` goes to the gate, everything else to Django.

In production the gate and the web role are processes of their own and this module is not used.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")

from typing import Any

from django.core.asgi import get_asgi_application

from flashsale.gate.app import application as gate

django = get_asgi_application()


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Route one connection by its path."""
    if scope.get("path", "").startswith("/gate/"):
        await gate(scope, receive, send)
    else:
        await django(scope, receive, send)
