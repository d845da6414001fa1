"""A deleted draft: out of sight at once, brought back for thirty days, then gone."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from flashsale import audit, drafts, scheduling
from flashsale.errors import SaleError, SchedulingError
from flashsale.models import Sale, SaleItem
from flashsale.tests.pages import words
from flashsale.tests.test_admin_verbs import at, staff

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]


@pytest.fixture
def merchandiser(db: None) -> Client:
    return staff("merchandiser")


def said(response: Any) -> str:
    return words(response) + " ".join(str(message) for message in response.context["messages"])


def test_a_draft_goes_with_one_press_and_comes_back_as_it_was(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale(scheduled=False)
    Sale.objects.update(title="Moon lamps")
    listed = reverse("admin:flashsale_sale_changelist")
    assert "Moon lamps" in words(merchandiser.get(listed))
    text = said(merchandiser.post(reverse("admin:sale-delete", args=[item.sale_id]), follow=True))
    assert "“Moon lamps” is deleted. Until" in text
    assert "Bring “Moon lamps” back" in text
    assert "Moon lamps" not in words(merchandiser.get(listed))
    month = f"{item.sale.opens_at:%Y-%m}"
    assert "Moon lamps" not in words(merchandiser.get(reverse("admin:sale-calendar"), {"month": month}))
    for verb in ("schedule", "rehearse", "preview/before"):
        assert merchandiser.get(at(item, verb)).status_code == 404
    text = said(merchandiser.post(reverse("admin:sale-undelete", args=[item.sale_id]), follow=True))
    assert "is a draft again, as it was." in text
    assert "Moon lamps" in words(merchandiser.get(listed))
    assert [entry.get_change_message() for entry in audit.log(item.sale)[:2]] == [
        "Brought the draft back.",
        "Deleted the draft.",
    ]


def test_what_was_deleted_cannot_be_scheduled_and_what_is_scheduled_not_deleted(
    merchandiser: Client, make_sale: Make
) -> None:
    gone, kept, by = make_sale(scheduled=False), make_sale(), User.objects.get(is_staff=True)
    drafts.delete(sale=gone.sale, by=by)
    with pytest.raises(SchedulingError, match="This draft was deleted"):
        scheduling.schedule(sale=gone.sale)
    for sale in (kept.sale, gone.sale):
        with pytest.raises(SaleError, match="Only a draft can be deleted"):
            drafts.delete(sale=sale, by=by)
    assert audit.log().count() == 1
    text = said(merchandiser.post(reverse("admin:sale-delete", args=[kept.sale_id]), follow=True))
    assert "A scheduled sale is ended." in text


def test_the_admins_own_deletion_can_be_undone_too(merchandiser: Client, make_sale: Make) -> None:
    one, other = make_sale(scheduled=False), make_sale(scheduled=False)
    merchandiser.post(reverse("admin:flashsale_sale_delete", args=[one.sale_id]), {"post": "yes"})
    chosen = {"action": "delete_selected", "_selected_action": [other.sale_id], "post": "yes"}
    merchandiser.post(reverse("admin:flashsale_sale_changelist"), chosen)
    assert set(drafts.deleted()) == {one.sale, other.sale}


def test_after_thirty_days_it_is_gone_for_good_and_not_before(make_sale: Make) -> None:
    old, young, never = (make_sale(scheduled=False).sale for _ in range(3))
    now = timezone.now()
    Sale.objects.filter(pk=old.pk).update(deleted_at=now - drafts.KEPT)
    Sale.objects.filter(pk=young.pk).update(deleted_at=now - drafts.KEPT + timedelta(minutes=5))
    assert list(drafts.deleted()) == [young]
    assert (drafts.purge(), drafts.purge()) == (1, 0)
    assert set(Sale.objects.all()) == {young, never}


def test_support_deletes_nothing_and_sees_no_deleted_drafts(make_sale: Make) -> None:
    item, support = make_sale(scheduled=False), staff("support")
    assert support.post(reverse("admin:sale-delete", args=[item.sale_id])).status_code == 403
    assert support.get(reverse("admin:sale-deleted")).status_code == 403
    assert Sale.objects.get().deleted_at is None
