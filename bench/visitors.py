"""Shoppers who are logged in, or can log in, without hashing a password for each of them."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.hashers import make_password
from django.middleware.csrf import CSRF_SECRET_LENGTH
from django.utils.crypto import get_random_string

from accounts import devices
from accounts.models import User

PASSWORD = "a long enough password"  # noqa: S105 - of shoppers who live as long as a run
BACKEND = "django.contrib.auth.backends.ModelBackend"


def verified(ids: Sequence[int]) -> list[User]:
    """Return these shoppers with confirmed addresses."""
    users = list(User.objects.filter(pk__in=ids).order_by("pk"))
    rows = [EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in users]
    EmailAddress.objects.bulk_create(rows, ignore_conflicts=True)
    return users


def with_password(ids: Sequence[int]) -> list[User]:
    """Return these shoppers able to log in with `PASSWORD`, which is hashed once for all."""
    User.objects.filter(pk__in=ids).update(password=make_password(PASSWORD))
    return verified(ids)


def session_cookies(users: Sequence[User]) -> list[dict[str, str]]:
    """Make a session for each shopper, as the login would, and return the cookies."""
    made = []
    for user in users:
        session: Any = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY] = str(user.pk)
        session[BACKEND_SESSION_KEY] = BACKEND
        session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        session.save()
        secret = get_random_string(CSRF_SECRET_LENGTH)
        cookies = {settings.SESSION_COOKIE_NAME: session.session_key, settings.CSRF_COOKIE_NAME: secret}
        made.append(cookies | {devices.COOKIE: devices.signed(get_random_string(16), [])})
    return made
