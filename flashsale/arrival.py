"""Who arrives at the entry to a sale: his row and what the lists say of him, in one statement.

The framework asks for the row alone, composes that question anew for each request, and the lists would be a
second one. Together they were a fifth of what a shopper cost on the way in.
"""

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from accounts.models import User
from flashsale.eligibility import LISTS, Lists
from flashsale.models import Sale

FIELDS = [field.attname for field in User._meta.concrete_fields]
COLUMNS = ", ".join(f"shopper.{field.column}" for field in User._meta.concrete_fields)
STATEMENT = f"SELECT {COLUMNS}, {LISTS} FROM accounts_user shopper WHERE shopper.id = %(user)s"  # noqa: S608 - constants


def look(request: HttpRequest, *, sale: Sale) -> Lists | None:
    """Let `request.user` be known, and return what the lists say of him; None leaves both to be asked for.

    Only a session that is plainly his is taken: a living backend, an active account, the hash of his
    password. All else is the framework's to judge: it knows of rotated keys, and ends what is not in order.
    """
    session = request.session
    if session.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, {"user": int(session[SESSION_KEY]), "sale": sale.pk})
        row = cursor.fetchone()
    if row is None:
        return None
    user = User.from_db(connection.alias, FIELDS, row[: len(FIELDS)])
    is_his = constant_time_compare(session.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())
    if not (user.is_active and is_his):
        return None
    request._cached_user = user  # type: ignore[attr-defined]  # where the middleware keeps it
    return Lists(*row[len(FIELDS) :])
