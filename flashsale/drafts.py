"""Drafts that somebody deleted: out of sight at once, gone for good after thirty days."""

from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from flashsale import audit
from flashsale.errors import SaleError
from flashsale.models import Sale
from flashsale.words import instant

KEPT = timedelta(days=30)
DRAFT = Sale.State.DRAFT


def deleted() -> "QuerySet[Sale]":
    """Return the drafts that can be brought back, the latest first."""
    return Sale.objects.filter(state=DRAFT, deleted_at__gt=timezone.now() - KEPT).order_by("-deleted_at")


def delete(*, sale: Sale, by: User) -> str:
    """Put a draft out of sight; say until when it can be brought back. Raises SaleError for another sale."""
    now = timezone.now()
    with transaction.atomic():
        # Scheduling locks the row and looks at both: either of the two comes first, and the other is refused.
        if not Sale.objects.filter(pk=sale.pk, state=DRAFT, deleted_at=None).update(deleted_at=now):
            raise SaleError(_("Only a draft can be deleted. A scheduled sale is ended."))
        audit.note(sale=sale, by=by, what=_("Deleted the draft."), before="draft", after="deleted")
    values = {"sale": sale.title, "time": instant(now + KEPT)}
    return _("“%(sale)s” is deleted. Until %(time)s it can be brought back.") % values


def bring_back(*, sale: Sale, by: User) -> str:
    """Undo it. Raises SaleError where the draft is not among the deleted ones any more."""
    with transaction.atomic():
        if not deleted().filter(pk=sale.pk).update(deleted_at=None):
            raise SaleError(_("This draft is not among the deleted ones any more."))
        audit.note(sale=sale, by=by, what=_("Brought the draft back."), before="deleted", after="draft")
    return _("“%(sale)s” is a draft again, as it was.") % {"sale": sale.title}


def purge() -> int:
    """Delete for good what was deleted thirty days ago; return how many. Safe to repeat."""
    count = 0
    old = Sale.objects.filter(state=DRAFT, deleted_at__lte=timezone.now() - KEPT)
    for pk in old.values_list("pk", flat=True):
        with transaction.atomic():
            # Looked at again under its lock: it may have been brought back since.
            sale = old.select_for_update(of=("self",)).filter(pk=pk).first()
            if sale is not None:
                sale.delete()
                count += 1
    return count
