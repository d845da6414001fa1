"""The outbox: a mail is a row, written in the transaction that makes it true, and sent from here by a task.

At least once: a mail may arrive twice only if the process dies between the server's answer and our commit,
and then both bear the same Message-ID. When a mail is due and whose it is until when is told by PostgreSQL's
clock: a worker whose own clock is wrong neither keeps mail from the others nor takes theirs.
"""

import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from smtplib import SMTPException
from typing import Any

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Case, Value, When
from django.db.models.functions import Now

from shop.orders import mail
from shop.orders.models import OutboxMail

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""For so long a claimed mail belongs to whoever claimed it; longer than a batch may take."""
BATCH = 50
BASE, CAP = 1.0, 6 * 3600.0
"""First and longest wait before another try, in seconds."""
NOBODY = ".invalid"
GIVE_UP = timedelta(hours=24)


@dataclass(frozen=True)
class Letter:
    """A mail to be written. `ref` names the order or reservation; one mail leaves for each `ref` and `kind`.

    `context` is JSON: every kind knows `title`, `pay_by` (ISO 8601), `price` (minor units) and `path`; `ids`
    are what its lines in the log are about (`shop.logs.IDS`).
    """

    ref: str
    kind: str
    to: str
    language: str = "en"
    context: dict[str, Any] = field(default_factory=dict)


def put(ref: str, kind: str, to: str, language: str, context: dict[str, Any]) -> None:
    """Write one mail into the outbox, in the caller's transaction; nothing happens if it is there already."""
    rows = put_all([Letter(ref=ref, kind=kind, to=to, language=language, context=context)])
    transaction.on_commit(partial(_note_put, rows), robust=True)


def put_all(letters: Iterable[Letter]) -> list[OutboxMail]:
    """Write many mails in one statement and return them; those that are there already stay as they are.

    They are not logged one by one: what each tells of has a line, and is committed with it. An address under
    `.invalid` belongs to nobody (RFC 2606): nothing is written to it.
    """
    rows = [
        OutboxMail(
            ref=letter.ref,
            kind=letter.kind,
            to=letter.to,
            language=letter.language,
            context=letter.context,
            next_try_at=Now(),
        )
        for letter in letters
        if not letter.to.endswith(NOBODY)
    ]
    OutboxMail.objects.bulk_create(rows, ignore_conflicts=True)
    return rows


def send_due(*, limit: int = BATCH) -> int:
    """Send what is due, over one connection; return how many mails the server has taken."""
    rows = _claim(limit)
    if not rows:
        return 0
    connection = get_connection()
    try:
        return sum(_send(row, connection) for row in rows)
    finally:
        _close(connection)


def send_again(*, ids: Iterable[int]) -> int:
    """Make parked, failed or sent mails due at once, with a full day of tries; return how many."""
    return OutboxMail.objects.filter(pk__in=list(ids)).update(
        status=OutboxMail.Status.PENDING, next_try_at=Now(), attempts=0, error="", created_at=Now()
    )


def _claim(limit: int) -> list[OutboxMail]:
    # Several workers drain at once: each takes rows that nobody else has locked, and pushes their next try
    # ahead. Should it die, they are due again when the lease ends.
    with transaction.atomic(durable=True):
        due = OutboxMail.objects.filter(status=OutboxMail.Status.PENDING, next_try_at__lte=Now())
        rows = list(
            due.select_for_update(skip_locked=True, no_key=True).order_by("next_try_at", "pk")[:limit]
        )
        OutboxMail.objects.filter(pk__in=[row.pk for row in rows]).update(next_try_at=Now() + LEASE)
    return rows


def _send(row: OutboxMail, connection: BaseEmailBackend) -> bool:
    try:
        message = mail.render(row)
        message.connection = connection
        connection.open()
        message.send()
    except Exception as error:  # a row that cannot be rendered or sent must not hold up the others
        _put_off(row, error)
        if isinstance(error, OSError | SMTPException):
            _close(connection)
        return False
    OutboxMail.objects.filter(pk=row.pk).update(
        status=OutboxMail.Status.SENT, sent_at=Now(), attempts=row.attempts + 1, error=""
    )
    logger.info("mail sent", extra=_ids(row))
    return True


def _note_put(rows: Iterable[OutboxMail]) -> None:
    for row in rows:
        logger.info("mail put", extra=_ids(row))


def _ids(row: OutboxMail) -> dict[str, Any]:
    return {**row.context.get("ids", {}), "mail": mail.message_id(row)}


def _put_off(row: OutboxMail, error: Exception) -> None:
    # By its kind only: servers say to whom they refuse to deliver. The row keeps the whole sentence.
    sentence = "mail could not be sent (try %s): %s"
    logger.warning(sentence, row.attempts + 1, type(error).__name__, extra=_ids(row))
    OutboxMail.objects.filter(pk=row.pk).update(
        status=Case(
            When(created_at__lte=Now() - GIVE_UP, then=Value(OutboxMail.Status.PARKED)),
            default=Value(OutboxMail.Status.PENDING),
        ),
        next_try_at=Now() + timedelta(seconds=wait_after(row.attempts)),
        attempts=row.attempts + 1,
        error=f"{type(error).__name__}: {error}"[:2000],
    )


def wait_after(tries: int) -> float:
    """Return how many seconds to wait after so many failed tries: longer each time, and never all at once."""
    longest = min(CAP, BASE * 2 ** min(tries, 20))
    return random.uniform(longest / 2, longest)  # noqa: S311 - it spreads the load, it hides nothing


def _close(connection: BaseEmailBackend) -> None:
    try:
        connection.close()
    except (OSError, SMTPException):  # it is gone already
        logger.info("the mail server had closed the connection")
