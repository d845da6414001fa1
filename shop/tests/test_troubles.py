"""A database that is away is told as such."""

import pytest
from django.db import OperationalError
from django.test import Client

from shop.catalogue import listing

pytestmark = pytest.mark.django_db
LOCKED = OperationalError("canceling statement due to lock timeout")


@pytest.mark.parametrize(
    ("error", "status", "retry"), [(LOCKED, 503, "5"), (ValueError("a fault of ours"), 500, None)]
)
def test_a_page_that_fails_says_whether_to_come_back(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, retry: str | None
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(listing, "products", fail)
    response = Client(raise_request_exception=False).get("/catalogue/")
    assert (response.status_code, response.get("Retry-After")) == (status, retry)


def test_a_program_is_told_in_json(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise LOCKED

    monkeypatch.setattr(listing, "products", fail)
    response = Client(raise_request_exception=False).get("/api/catalogue/")
    assert (response.status_code, response["Content-Type"]) == (503, "application/json")


def test_an_address_that_is_none_is_told_to_a_program_in_json_and_to_a_reader_on_a_page() -> None:
    told, page = Client().get("/api/orders/none/"), Client().get("/nowhere/")
    assert (told.status_code, told.json()) == (404, {"detail": "There is nothing at this address."})
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
