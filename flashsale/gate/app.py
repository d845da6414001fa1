"""The gate's ASGI application."""

from typing import Any


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer one request."""
