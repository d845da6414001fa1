"""Who did what to a sale and when: the admin's own log, and the guard against a page that has grown old."""

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from flashsale.errors import Stale
from flashsale.models import Change, Sale
from flashsale.words import span


def latest(sale: Sale) -> int:
    """Return the number of the last thing that was done to a sale; 0 for nothing."""
    return _log(sale).values_list("pk", flat=True).first() or 0


def note(
    *, sale: Sale, by: User, what: str, before: object = "", after: object = "", reason: str = ""
) -> None:
    """Write down what somebody does to a sale; it stands in the sale's history and in the audit log."""
    entry = LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Sale),
        object_id=str(sale.pk),
        object_repr=str(sale)[:200],
        action_flag=CHANGE,
        change_message=what,
    )
    if before != "" or after != "" or reason:
        Change.objects.create(entry=entry, before=str(before), after=str(after), reason=reason[:300])


def claim(*, sale: Sale, by: User, what: str, seen: int | None, **more: Any) -> None:
    """Write down what somebody is about to do (`more`: see `note`), unless his page has grown old.

    `seen` is the last thing that his page knew of (None: he had no page). Raises Stale if something was
    done to the sale since. Two who press at the same moment meet at the sale's lock: the second one finds
    the note of the first and is refused.
    """
    with transaction.atomic():
        Sale.objects.select_for_update(of=("self",), no_key=True).get(pk=sale.pk)
        refuse_old(sale=sale, seen=seen)
        note(sale=sale, by=by, what=what, **more)


def refuse_old(*, sale: Sale, seen: int | None) -> None:
    """Raise Stale if something was done to the sale since `seen`; None: there was no page."""
    last = _log(sale).select_related("user").first()
    if seen is not None and last is not None and last.pk != seen:
        raise Stale(_news(last))


def _log(sale: Sale) -> "QuerySet[LogEntry]":
    kind = ContentType.objects.get_for_model(Sale)
    return LogEntry.objects.filter(content_type=kind, object_id=str(sale.pk)).order_by("-pk")


def log(sale: Sale | None = None) -> "QuerySet[LogEntry]":
    """Everything that was done to sales, or to one, the newest first."""
    kind = ContentType.objects.get_for_model(Sale)
    entries = LogEntry.objects.filter(content_type=kind) if sale is None else _log(sale)
    return entries.select_related("user", "change").order_by("-pk")


def _news(entry: LogEntry) -> str:
    sentence = _("Nothing was done. %(who)s did this %(ago)s ago, and your page did not show it: %(what)s")
    ago = span(timezone.now() - entry.action_time)
    return sentence % {"who": entry.user, "ago": ago, "what": entry.get_change_message()}
