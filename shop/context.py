"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest

from shop import preferences


def shop(request: HttpRequest) -> dict[str, object]:
    """Name and currency of the shop, the reader's scheme, and how many things are in the cart as far as the
    session remembers. A public page does not ask the session: its reader's browser knows the number."""
    is_public = getattr(request, "is_public", False)
    asks = hasattr(request, "session") and not is_public
    return {
        "SHOP_NAME": settings.SHOP_NAME,
        "SHOP_CURRENCY": settings.SHOP_CURRENCY,
        "SHOP_URL": settings.SHOP_URL,
        "languages": settings.LANGUAGES,
        "scheme": preferences.scheme_of(request),
        "is_public": is_public,
        "cart_count": request.session.get("cart_count", 0) if asks else 0,
    }
