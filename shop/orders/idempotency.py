"""Writes that may be sent twice and happen once: one key (source + sequence), one stored answer.

Used by the checkout page (its key is a token that the server put into the form) and by every writing call of
the API (its key is the `Idempotency-Key` header). The answer is stored in the transaction of what it tells
of: should the process die in between, neither is there and the same key works again.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import connection, transaction
from django.utils import timezone

from shop.orders.errors import InProgress, KeyReused
from shop.orders.models import StoredAnswer

KEPT = timedelta(hours=24)
SALT = "shop.orders.submission"


@dataclass(frozen=True)
class Key:
    """Who asks, which of his requests it is, and (against a key used twice by mistake) what was asked."""

    source: str
    sequence: str
    fingerprint: str = ""


@dataclass(frozen=True)
class Answer:
    """An HTTP status and a JSON body; `repeated` if it was given before."""

    status: int
    body: Any
    repeated: bool = False


@dataclass(frozen=True)
class Token:
    """What a form's token says: its key, the total that was shown (minor units), and whether time is left."""

    key: Key
    total: int
    is_fresh: bool


def once(*, key: Key, act: Callable[[], Answer], wait: bool) -> Answer:
    """Do `act` in one transaction and store its answer, or return the answer that is stored.

    While the first request still runs, a repeat waits for its answer, or (`wait=False`) raises InProgress.
    Raises KeyReused if the key came with another fingerprint, and whatever `act` raises; then nothing is
    stored.
    """
    with transaction.atomic(durable=True):
        _take_turn(key, wait=wait)
        known = stored(key)
        if known is not None:
            return known
        answer = act()
        StoredAnswer.objects.create(
            source=key.source,
            sequence=key.sequence,
            fingerprint=key.fingerprint,
            status=answer.status,
            body=answer.body,
        )
        return answer


def stored(key: Key) -> Answer | None:
    """Return the answer that was given to this key; raises KeyReused if it belongs to another request."""
    row = StoredAnswer.objects.filter(source=key.source, sequence=key.sequence).first()
    if row is None:
        return None
    if row.fingerprint != key.fingerprint:
        raise KeyReused
    return Answer(status=row.status or 200, body=row.body, repeated=True)


def fingerprint(*parts: bytes) -> str:
    """Return 64 hexadecimal digits that differ whenever one of `parts` differs."""
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def issue(*, total: int) -> str:
    """Return a token for a form that shows `total` (minor units)."""
    return signing.dumps([secrets.token_urlsafe(18), total], salt=SALT)


def read(token: str, *, source: str) -> Token | None:
    """Return what a token says; None if we did not write it.

    One that is older than SUBMISSION_TOKEN_SECONDS is not fresh: it orders nothing, but still finds its
    answer.
    """
    try:
        sequence, total = signing.loads(token, salt=SALT)
        signing.loads(token, salt=SALT, max_age=settings.SUBMISSION_TOKEN_SECONDS)
    except signing.SignatureExpired:
        return Token(key=Key(source, sequence), total=total, is_fresh=False)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return Token(key=Key(source, sequence), total=total, is_fresh=True)


def forget() -> int:
    """Delete answers older than a day; return how many."""
    return StoredAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def _take_turn(key: Key, *, wait: bool) -> None:
    # Two requests with one key (a double press, a client's resend) meet here: the second waits or is told so,
    # and reads what the first has committed. The unique constraint on the answer stays the last word.
    name = int.from_bytes(hashlib.sha256(f"{key.source}\n{key.sequence}".encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        if wait:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [name])
            return
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [name])
        if cursor.fetchone() != (True,):
            raise InProgress
