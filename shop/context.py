"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest


def shop(request: HttpRequest) -> dict[str, str | int]:
    """Name and currency of the shop, and how many things are in the cart as far as the session remembers."""
    return {
        "SHOP_NAME": settings.SHOP_NAME,
        "SHOP_CURRENCY": settings.SHOP_CURRENCY,
        "cart_count": request.session.get("cart_count", 0) if hasattr(request, "session") else 0,
    }
