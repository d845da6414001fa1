"""The door of the admin, locked by django-axes after wrong passwords; the shop's own door has its limiter."""

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.limits import too_many


class Door(AxesDatabaseHandler):
    """Counts wrong passwords at the admin only: whoever mistypes in the shop is not locked out of it."""

    def user_login_failed(
        self, sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **more: Any
    ) -> None:
        if self.is_admin_request(request):
            super().user_login_failed(sender, credentials, request, **more)


def account(_request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """Return the account that was typed, in the one spelling that counts."""
    return str((credentials or {}).get("username") or "").strip().lower()


def locked(request: HttpRequest, *_: object, **__: object) -> HttpResponse:
    """Answer whoever guessed too often."""
    return too_many(request, seconds=int(settings.AXES_COOLOFF_TIME.total_seconds()))
