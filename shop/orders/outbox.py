"""The outbox: a mail is a row, written in the transaction that makes it true, and sent from here by a task.

At least once: a mail may arrive twice only if the process dies between the server's answer and our commit,
and then both bear the same Message-ID. When a mail is due PostgreSQL's clock alone says: a worker whose own
clock is wrong neither waits too long nor takes what another one is sending.
"""

import logging
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from smtplib import SMTPException
from time import monotonic
from typing import Any

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import Case, QuerySet, Value, When
from django.db.models.functions import Now

from shop.orders import mail
from shop.orders.models import OutboxMail

logger = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
"""For so long a claimed mail belongs to whoever claimed it."""
SPEND = 120.0
"""Seconds after which no mail of a batch is begun. However slow the server is, one holds a worker for at most
twice `shop.smtp.PATIENCE`, to connect and to send: that fits into the lease, so nobody else sends it."""
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
    """Send what is due, over one connection; return how many mails the server has taken.

    What could not be begun in time is given back and due at once.
    """
    began, sent = monotonic(), 0
    rows = _claim(limit)
    if not rows:
        return 0
    connection = get_connection()
    try:
        for number, row in enumerate(rows):
            if monotonic() - began >= SPEND:
                _give_back(rows[number:])
                break
            sent += _send(row, connection)
    finally:
        _close(connection)
    return sent


def send_again(*, ids: Iterable[int]) -> int:
    """Make parked, failed or sent mails due at once, with a full day of tries; return how many."""
    return OutboxMail.objects.filter(pk__in=list(ids)).update(
        status=OutboxMail.Status.PENDING, next_try_at=Now(), attempts=0, error="", created_at=Now()
    )


def _claim(limit: int) -> list[OutboxMail]:
    # Several workers drain at once: each takes rows that nobody else has locked, and pushes their next try
    # ahead. Should it die, they are due again when the lease ends. `next_try_at` tells whose lease it is.
    with transaction.atomic(durable=True):
        due = OutboxMail.objects.filter(status=OutboxMail.Status.PENDING, next_try_at__lte=Now())
        free = due.select_for_update(skip_locked=True, no_key=True).order_by("next_try_at", "pk")
        rows: list[OutboxMail] = []
        for row in free.annotate(until=Now() + LEASE)[:limit]:  # by one statement's clock: the same for all
            row.next_try_at = row.until
            rows.append(row)
        if rows:
            taken = OutboxMail.objects.filter(pk__in=[row.pk for row in rows])
            taken.update(next_try_at=rows[0].next_try_at)
    return rows


def _mine(rows: Iterable[OutboxMail]) -> QuerySet[OutboxMail]:
    """Return those of the rows that nobody has taken over since: they still bear the lease they were given.

    A worker that was frozen for minutes must not put off, or give back, what another one has sent.
    """
    return OutboxMail.objects.filter(
        pk__in=[row.pk for row in rows],
        status=OutboxMail.Status.PENDING,
        next_try_at__in={row.next_try_at for row in rows},
    )


def _give_back(rows: list[OutboxMail]) -> None:
    logger.warning("the mail server is slow: %s mails of a batch are left to the next one", len(rows))
    _mine(rows).update(next_try_at=Now())


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
    status = OutboxMail.Status
    parked = When(created_at__lte=Now() - GIVE_UP, then=Value(status.PARKED))
    # By its kind only: servers say to whom they refuse to deliver. The row keeps the whole sentence.
    sentence = "mail could not be sent (try %s): %s"
    logger.warning(sentence, row.attempts + 1, type(error).__name__, extra=_ids(row))
    _mine([row]).update(
        status=Case(parked, default=Value(status.PENDING)),
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
