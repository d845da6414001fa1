"""Who wants a mail before a sale opens: asked for once, sent once."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from flashsale.models import Reminder, Sale
from shop.orders import wishes
from shop.orders.models import OutboxMail
from shop.orders.outbox import Letter

BEFORE = timedelta(minutes=15)
"""So long before the opening the mails are written; ten thousand of them leave in a few minutes."""
BATCH = 1000


def ask(*, sale: Sale, email: str, language: str) -> None:
    """Note the wish; nothing happens if it is noted already."""
    row = Reminder(sale=sale, email=email.lower(), language=language)
    Reminder.objects.bulk_create([row], ignore_conflicts=True)


def put_due() -> int:
    """Write the mails of sales that open soon, and forget the wishes; return how many were written.

    A wish for a sale that has opened meanwhile, or was taken back, is forgotten without a mail.
    """
    now = timezone.now()
    late = Reminder.objects.filter(sale__opens_at__lte=now)
    with transaction.atomic(durable=True):
        # Two workers may look at once: each takes rows that the other has not locked.
        due = Reminder.objects.filter(
            sale__state=Sale.State.SCHEDULED, sale__opens_at__gt=now, sale__opens_at__lte=now + BEFORE
        )
        rows = list(
            due.select_related("sale")
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("sale__opens_at", "pk")[:BATCH]
        )
        wishes.put_all(_letter(row) for row in rows)
        Reminder.objects.filter(pk__in=[row.pk for row in rows]).delete()
    late.delete()
    return len(rows)


def _letter(row: Reminder) -> Letter:
    opening = f"sale-{row.sale_id}-{row.sale.opens_at:%Y%m%d%H%M%S}"
    return Letter(
        ref=wishes.ref(opening, row.email),
        kind=OutboxMail.Kind.REMINDER,
        to=row.email,
        language=row.language,
        context={
            "title": row.sale.title,
            "opens_at": row.sale.opens_at.isoformat(),
            "path": row.sale.get_absolute_url(),
            "stop_path": wishes.stop_path(row.email),
        },
    )
