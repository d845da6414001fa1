"""Who wants a mail when a variant that is sold out is back: asked for once, sent once."""

from django.db import transaction

from shop.catalogue.models import Variant
from shop.orders import wishes
from shop.orders.models import OutboxMail, StockNotice
from shop.orders.outbox import Letter

BATCH = 500


def ask(*, variant: Variant, email: str, language: str) -> None:
    """Note the wish; nothing happens if it is noted already."""
    row = StockNotice(variant=variant, email=email.lower(), language=language)
    StockNotice.objects.bulk_create([row], ignore_conflicts=True)


def put_due() -> int:
    """Write the mails about variants that can be bought again, and forget the wishes; return how many."""
    with transaction.atomic(durable=True):
        # Two workers may look at once: each takes rows that the other has not locked.
        due = StockNotice.objects.filter(variant__stock__gt=0, variant__product__published=True)
        rows = list(
            due.select_related("variant__product")
            .select_for_update(of=("self",), skip_locked=True)
            .order_by("pk")[:BATCH]
        )
        wishes.put_all(_letter(row) for row in rows)
        StockNotice.objects.filter(pk__in=[row.pk for row in rows]).delete()
    return len(rows)


def _letter(row: StockNotice) -> Letter:
    product = row.variant.product
    return Letter(
        ref=f"notice-{row.pk}",
        kind=OutboxMail.Kind.BACK_IN_STOCK,
        to=row.email,
        language=row.language,
        context={
            "title": str(row.variant),
            "price": row.variant.price,
            "path": f"{product.get_absolute_url()}?variant={row.variant_id}",
            "stop_path": wishes.stop_path(row.email),
        },
    )
