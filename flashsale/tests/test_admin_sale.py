"""Planning a sale in the admin: what may be typed, and what is said when it does not fit."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.groups import ensure_groups
from accounts.models import User
from flashsale import audit, scheduling, stock
from flashsale.admin_forms import SaleForm
from flashsale.models import Sale, SaleItem
from flashsale.tests.pages import change, logged_in, words
from shop.catalogue.models import Variant

pytestmark = pytest.mark.django_db(transaction=True)
Make = Callable[..., SaleItem]
MakeVariant = Callable[..., Variant]
TOMORROW = timedelta(days=1)


def tomorrow() -> datetime:
    return (timezone.now() + TOMORROW).replace(microsecond=0)


@pytest.fixture
def merchandiser(db: None) -> Client:
    ensure_groups()
    user = User.objects.create_user("mei@example.com", is_staff=True)
    user.groups.set(user.groups.model.objects.filter(name="merchandiser"))
    return logged_in(user)


def typed(opens_at: datetime, **fields: Any) -> dict[str, Any]:
    """What the form sends for an ordinary sale of an hour."""
    closes_at = fields.pop("closes_at", opens_at + timedelta(hours=1))
    return {
        "title": "Lamp sale",
        "slug": "lamp-sale",
        "opens_at_0": f"{opens_at:%Y-%m-%d}",
        "opens_at_1": f"{opens_at:%H:%M:%S}",
        "closes_at_0": f"{closes_at:%Y-%m-%d}",
        "closes_at_1": f"{closes_at:%H:%M:%S}",
        "pay_within": "600",
        "standby_size": "50",
        "tie_band": "0",
        "min_account_days": "0",
        "min_level": "0",
        "items-TOTAL_FORMS": "0",
        "items-INITIAL_FORMS": "0",
    } | fields


def with_item(variant: Variant, **fields: Any) -> dict[str, Any]:
    """What the form sends for one item."""
    item = {"variant": variant.pk, "price": "49.00", "quantity": "5", "limit": "1"} | fields
    return {"items-TOTAL_FORMS": "1"} | {f"items-0-{name}": value for name, value in item.items()}


def add(client: Client, **fields: Any) -> Any:
    """Send the form of a new sale that opens tomorrow."""
    opens_at = fields.pop("opens_at", timezone.now() + TOMORROW)
    return client.post("/admin/flashsale/sale/add/", typed(opens_at, **fields))


def test_a_draft_is_planned_with_prices_in_decimals(merchandiser: Client, make_variant: MakeVariant) -> None:
    response = add(merchandiser, **with_item(make_variant(), price="49.50"))
    assert response.status_code == 302
    item = SaleItem.objects.select_related("sale").get()
    assert (item.price, item.quantity, item.sale.state) == (4950, 5, Sale.State.DRAFT)


def test_planning_takes_nothing_out_of_ordinary_stock(
    merchandiser: Client, make_variant: MakeVariant
) -> None:
    variant = make_variant(stock=20)
    add(merchandiser, **with_item(variant))
    variant.refresh_from_db()
    assert variant.stock == 20


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"closes_at": timezone.now() + timedelta(hours=1)}, "The sale must close after it opens."),
        ({"opens_at": timezone.now() - TOMORROW}, "This time has passed. Choose one to come"),
        ({"opens_at": timezone.now() - TOMORROW, "opens_at_once": "on"}, "The sale would be over already."),
        ({"rate": "0"}, "Serve at least one shopper a second, or leave it empty for no limit."),
        ({"pay_within": "4"}, "Give at least 5 seconds to pay."),
        ({"pay_within": "86401"}, "Give at most a day to pay, which is 86400 seconds."),
        ({"question": "Which wood?"}, "Give at least one right answer to the question, one a line."),
        ({"question": "Which wood?", "answers": " \n "}, "Give at least one right answer to the question"),
        ({"answers": "Oak"}, "Write the question that these answers belong to."),
        ({"slug": "reservations"}, "This word is an address of the shop. Choose another slug."),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(
    merchandiser: Client, fields: dict[str, Any], sentence: str
) -> None:
    response = add(merchandiser, **fields)
    assert response.status_code == 200
    assert sentence in words(response)
    assert not Sale.objects.exists()


def test_a_sale_may_open_at_once_if_that_is_meant(merchandiser: Client) -> None:
    opens_at = timezone.now() - timedelta(minutes=1)
    assert add(merchandiser, opens_at=opens_at, opens_at_once="on").status_code == 302
    assert Sale.objects.get().opens_at < timezone.now()


@pytest.mark.parametrize(
    ("item", "sentence"),
    [
        ({"quantity": "21"}, "Only 20 of Lamp"),
        ({"quantity": "0"}, "Put at least one unit into the sale."),
        ({"limit": "0"}, "Everybody may have at least one."),
        ({"price": "49.001"}, "“49.001” is not an amount such as 49.00."),
        ({"price": "-1"}, "is not between 0 and"),
    ],
)
def test_an_item_that_does_not_fit_is_refused_with_a_sentence(
    merchandiser: Client, make_variant: MakeVariant, item: dict[str, str], sentence: str
) -> None:
    response = add(merchandiser, **with_item(make_variant(stock=20), **item))
    assert sentence in words(response)
    assert not Sale.objects.exists()


def test_a_variant_in_another_sale_at_that_time_is_refused_with_its_name_and_a_link(
    merchandiser: Client, make_sale: Make
) -> None:
    opens_at = tomorrow()
    other = make_sale(opens_at=opens_at, closes_at=opens_at + timedelta(hours=2))
    response = add(merchandiser, opens_at=opens_at + timedelta(hours=1), **with_item(other.variant))
    assert f"{other.variant} is in the sale {other.sale.title} at the same time" in words(response)
    link = f"<a href='/admin/flashsale/sale/{other.sale_id}/change/'>{other.sale.title}</a>"
    assert link in response.content.decode()


def test_the_same_variant_may_be_sold_afterwards(merchandiser: Client, make_sale: Make) -> None:
    opens_at = tomorrow()
    other = make_sale(opens_at=opens_at, closes_at=opens_at + timedelta(hours=2))
    response = add(merchandiser, opens_at=opens_at + timedelta(hours=2), **with_item(other.variant))
    assert response.status_code == 302


def test_a_name_with_markup_stays_a_name(merchandiser: Client, make_sale: Make) -> None:
    opens_at = tomorrow()
    other = make_sale(opens_at=opens_at, closes_at=opens_at + timedelta(hours=2))
    change(other.sale, title="<svg onload=alert(1)>")
    response = add(merchandiser, opens_at=opens_at, **with_item(other.variant))
    assert "<svg onload" not in response.content.decode()


def test_a_scheduled_sale_keeps_its_items(merchandiser: Client, make_sale: Make) -> None:
    opens_at = tomorrow()
    item = make_sale(quantity=3, opens_at=opens_at, closes_at=opens_at + timedelta(hours=1))
    fields = with_item(item.variant, id=item.pk, sale=item.sale_id, quantity="9") | {
        "items-INITIAL_FORMS": "1"
    }
    merchandiser.post(
        f"/admin/flashsale/sale/{item.sale_id}/change/", typed(opens_at, title="New name", **fields)
    )
    item.refresh_from_db()
    assert (item.quantity, item.sale.title) == (3, "New name")


def test_a_scheduled_sale_is_not_moved_into_another_one(merchandiser: Client, make_sale: Make) -> None:
    opens_at = tomorrow()
    first = make_sale(opens_at=opens_at, closes_at=opens_at + timedelta(hours=1))
    second = make_sale(opens_at=opens_at + timedelta(hours=1), closes_at=opens_at + timedelta(hours=2))
    SaleItem.objects.filter(pk=second.pk).update(variant=first.variant)
    fields = with_item(first.variant, id=first.pk, sale=first.sale_id) | {"items-INITIAL_FORMS": "1"}
    fields = typed(opens_at, closes_at=opens_at + timedelta(minutes=61), **fields)
    response = merchandiser.post(f"/admin/flashsale/sale/{first.sale_id}/change/", fields)
    assert f"is in the sale {second.sale.title} at the same time" in words(response)
    assert Sale.objects.get(pk=first.sale_id).closes_at == opens_at + timedelta(hours=1)


def test_a_sale_that_has_opened_keeps_its_opening_and_may_close_later(
    merchandiser: Client, make_sale: Make
) -> None:
    item = make_sale()
    later = (item.sale.closes_at + timedelta(hours=1)).replace(microsecond=0)
    fields = typed(timezone.now() + TOMORROW, closes_at=later, slug="other")
    response = merchandiser.post(f"/admin/flashsale/sale/{item.sale_id}/change/", fields)
    assert response.status_code == 302
    now = Sale.objects.get(pk=item.sale_id)
    assert (now.opens_at, now.slug, now.closes_at) == (item.sale.opens_at, item.sale.slug, later)
    status = stock.run(stock.status(item.sale_id, [item.pk]))
    assert status is not None
    assert status.closes_at == int(later.timestamp() * 1000)


def test_a_form_that_was_open_while_the_sale_was_scheduled_changes_nothing(
    merchandiser: Client, make_sale: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale(
        scheduled=False, opens_at=timezone.now() + TOMORROW, closes_at=timezone.now() + 2 * TOMORROW
    )
    real = Sale.objects.select_for_update

    def scheduled_meanwhile(*args: Any, **kwargs: Any) -> Any:
        change(item.sale, state=Sale.State.SCHEDULED)
        return real(*args, **kwargs)

    monkeypatch.setattr(Sale.objects, "select_for_update", scheduled_meanwhile)
    fields = with_item(item.variant, id=item.pk, sale=item.sale_id, quantity="9")
    fields |= {"items-INITIAL_FORMS": "1"}
    response = merchandiser.post(
        f"/admin/flashsale/sale/{item.sale_id}/change/", typed(item.sale.opens_at, **fields), follow=True
    )
    assert "Nothing was saved: meanwhile the sale was scheduled or closed." in response.content.decode()
    item.refresh_from_db()
    assert item.quantity == 3


def test_saving_a_form_never_undoes_a_pause(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale()
    scheduling.pause(sale_id=item.sale_id)
    later = item.sale.closes_at + timedelta(hours=1)
    merchandiser.post(
        f"/admin/flashsale/sale/{item.sale_id}/change/", typed(timezone.now(), closes_at=later, title="New")
    )
    now = Sale.objects.get(pk=item.sale_id)
    assert (now.title, now.paused, now.state) == ("New", True, Sale.State.SCHEDULED)


def test_a_draft_is_deleted_and_a_scheduled_sale_is_not(merchandiser: Client, make_sale: Make) -> None:
    draft, scheduled = make_sale(scheduled=False), make_sale()
    for item, status in ((draft, 302), (scheduled, 403)):
        response = merchandiser.post(f"/admin/flashsale/sale/{item.sale_id}/delete/", {"post": "yes"})
        assert response.status_code == status
    assert list(Sale.objects.filter(deleted_at=None)) == [scheduled.sale]


def test_deleting_from_the_list_spares_scheduled_sales_too(merchandiser: Client, make_sale: Make) -> None:
    item = make_sale()
    fields = {"action": "delete_selected", "_selected_action": [item.sale_id], "post": "yes"}
    merchandiser.post("/admin/flashsale/sale/", fields)
    assert Sale.objects.filter(pk=item.sale_id).exists()


def test_a_plan_that_somebody_else_has_changed_meanwhile_is_refused_once_and_kept_on_the_page(
    merchandiser: Client, make_sale: Make
) -> None:
    item = make_sale(scheduled=False, opens_at=tomorrow(), closes_at=tomorrow() + timedelta(hours=1))
    path = f"/admin/flashsale/sale/{item.sale_id}/change/"
    seen = merchandiser.get(path).context["seen"]
    ann = User.objects.create_user("ann@example.com")
    audit.note(sale=item.sale, by=ann, what="Rate: 5 a second.")
    kept = {"slug": item.sale.slug, "items-INITIAL_FORMS": "1", "items-0-id": item.pk}
    sent = typed(tomorrow(), title="Mine", **kept) | with_item(item.variant)
    response = merchandiser.post(path, sent | {"seen": seen})
    assert response.status_code == 200
    assert "Nothing was done. ann@example.com did this" in words(response)
    assert 'value="Mine"' in response.content.decode()
    assert Sale.objects.get().title == item.sale.title
    response = merchandiser.post(path, sent | {"seen": response.context["seen"]})
    assert response.status_code == 302
    assert Sale.objects.get().title == "Mine"


def test_two_forms_that_are_saved_at_the_same_moment_are_not_both_saved(
    merchandiser: Client, make_sale: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = make_sale(scheduled=False, opens_at=tomorrow(), closes_at=tomorrow() + timedelta(hours=1))
    path = f"/admin/flashsale/sale/{item.sale_id}/change/"
    seen = merchandiser.get(path).context["seen"]
    audit.note(sale=item.sale, by=User.objects.create_user("ann@example.com"), what="Saved it first.")
    kept = {"slug": item.sale.slug, "items-INITIAL_FORMS": "1", "items-0-id": item.pk, "seen": seen}
    # As if the note of the other one had come after this form's own look and before its lock.
    monkeypatch.setattr(SaleForm, "_check_news", lambda _form: None)
    sent = typed(tomorrow(), title="Mine", **kept) | with_item(item.variant)
    answer = merchandiser.post(path, sent, follow=True)
    assert "Saved it first." in " ".join(map(str, answer.context["messages"]))
    assert Sale.objects.get().title == item.sale.title
