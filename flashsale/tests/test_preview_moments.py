"""The page of a sale as planned for a moment of its life: drawn for whoever plans, and nothing is touched."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django_redis import get_redis_connection

from flashsale.models import Sale, SaleItem
from flashsale.tests.pages import words
from flashsale.tests.test_admin_verbs import at, staff

pytestmark = pytest.mark.django_db(transaction=True)
OPENS = datetime(2099, 6, 12, 10, 0, tzinfo=UTC)


@pytest.fixture
def merchandiser(db: None) -> Client:
    return staff("merchandiser")


@pytest.fixture
def item(make_sale: Callable[..., SaleItem]) -> SaleItem:
    return make_sale(quantity=5, scheduled=False, opens_at=OPENS, closes_at=OPENS + timedelta(hours=2))


@pytest.mark.parametrize(
    ("moment", "state", "sentence"),
    [
        ("2099-06-12T09:15", "Before it opens", "Opens Friday 12 June 2099, 10:00"),
        ("2099-06-12T09:59:30", "Before it opens", "in 30 seconds."),
        ("2099-06-12T10:00", "Open, units left", "Running"),
        ("2099-06-12 11:59:59", "Open, units left", "Running"),
        ("2099-06-12T12:00", "Ended", "Ended"),
        ("9999-12-31T23:59", "Ended", "Ended"),
        ("0001-01-01T00:00", "Before it opens", "Coming"),
    ],
)
def test_a_moment_is_shown_as_planned_and_touches_nothing(
    merchandiser: Client, item: SaleItem, moment: str, state: str, sentence: str
) -> None:
    rows, keys = Sale.objects.values().get(), get_redis_connection("sale").keys("*")
    response = merchandiser.get(at(item, "preview/paused"), {"at": moment})
    assert response.status_code == 200
    assert f'<strong aria-current="page">{state}</strong>' in response.content.decode()
    assert sentence in words(response)
    assert (Sale.objects.values().get(), get_redis_connection("sale").keys("*")) == (rows, keys)


def test_a_moment_before_an_opening_that_has_passed_counts_down_to_it(
    merchandiser: Client, make_sale: Callable[..., SaleItem]
) -> None:
    opens = datetime(2020, 3, 2, 10, 0, tzinfo=UTC)
    item = make_sale(scheduled=False, opens_at=opens, closes_at=opens + timedelta(hours=1))
    text = words(merchandiser.get(at(item, "preview/before"), {"at": "2020-03-02T09:50"}))
    assert "10:00" in text
    assert "in 10 minutes." in text


@pytest.mark.parametrize(
    ("moment", "sentence"),
    [
        ("soon", "Write a date and a time, such as 2030-01-31T18:00."),
        ("2099-02-30T10:00", "Write a date and a time, such as 2030-01-31T18:00."),
        ("", "Write a date and a time."),
        ("\x00", "Write a date and a time, such as 2030-01-31T18:00."),
    ],
)
def test_what_is_no_moment_is_said_and_the_state_stays(
    merchandiser: Client, item: SaleItem, moment: str, sentence: str
) -> None:
    response = merchandiser.get(at(item, "preview/paused"), {"at": moment})
    assert response.status_code == 200
    assert sentence in words(response)
    assert '<strong aria-current="page">Paused</strong>' in response.content.decode()


def test_the_field_begins_with_the_opening(merchandiser: Client, item: SaleItem) -> None:
    page = merchandiser.get(at(item, "preview/open")).content.decode()
    assert 'name="at" value="2099-06-12T10:00:00"' in page
