"""What a development shop has sent: the outbox, and the accounts' mails that Django wrote to files."""

import email
import email.policy
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings

from shop.orders import mail
from shop.orders.models import OutboxMail

MOST = 100
SEPARATOR = b"-" * 79 + b"\n"
"""What Django's file backend writes behind each mail."""


@dataclass(frozen=True)
class Mail:
    """A mail as its reader sees it; `source` and `name` find it again."""

    source: str
    name: str
    at: datetime
    to: str
    subject: str
    status: str
    text: str
    html: str


def newest() -> list[Mail]:
    """Return the latest mails, the newest first; those of the outbox are not listed twice."""
    own = [_of_row(row) for row in OutboxMail.objects.all()[:MOST]]
    return sorted([*own, *_of_files()], key=lambda one: one.at, reverse=True)[:MOST]


def get(*, source: str, name: str) -> Mail | None:
    """Return one of them."""
    if source == "outbox":
        row = OutboxMail.objects.filter(pk=name).first() if name.isdecimal() else None
        return _of_row(row) if row else None
    return next((one for one in _of_files() if one.name == name), None)


def _of_row(row: OutboxMail) -> Mail:
    message = mail.render(row)
    return Mail(
        source="outbox",
        name=str(row.pk),
        at=row.sent_at or row.created_at,
        to=row.to,
        subject=str(message.subject),
        status=row.get_status_display(),
        text=str(message.body),
        html=str(message.alternatives[0][0]),
    )


def _of_files() -> Iterator[Mail]:
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", None) or settings.DATA_DIR / "mail")
    for path in sorted(folder.glob("*.log"), reverse=True)[:MOST] if folder.is_dir() else []:
        for number, raw in enumerate(path.read_bytes().split(SEPARATOR)):
            message = email.message_from_bytes(raw.strip(), policy=email.policy.default)
            # The outbox's own mails pass through the same files; they bear this header and are listed from
            # rows.
            if message["Subject"] and not message["Auto-Submitted"]:
                yield _of_message(message, name=f"{path.stem}-{number}", at=path.stat().st_mtime)


def _of_message(message: EmailMessage, *, name: str, at: float) -> Mail:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    return Mail(
        source="file",
        name=name,
        at=datetime.fromtimestamp(at, UTC),
        to=str(message["To"]),
        subject=str(message["Subject"]),
        status="",
        text=str(text.get_content()) if text else "",
        html=str(html.get_content()) if html else "",
    )
