"""A database that is away is told as such."""

import pytest
import time_machine
from django.core.exceptions import PermissionDenied
from django.db import OperationalError
from django.http import Http404
from django.test import Client
from pytest_django import DjangoAssertNumQueries

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


@pytest.mark.parametrize(
    ("error", "status", "said", "next_step"),
    [
        (PermissionDenied(), 403, "Nothing was changed.", "/accounts/login/?next=%2Fcatalogue%2F"),
        (Http404(), 404, "Your cart, your reservations and your orders are not affected.", "/orders/"),
        (ValueError("a fault of ours"), 500, "An order that is not listed there was not placed", "/orders/"),
        (LOCKED, 503, "Orders, reservations and places in line are kept on our side.", "/catalogue/"),
    ],
    ids=["403", "404", "500", "503"],
)
def test_each_says_what_became_of_an_order_and_what_to_do_next_in_both_languages_from_no_database(
    monkeypatch: pytest.MonkeyPatch,
    django_assert_num_queries: DjangoAssertNumQueries,
    error: Exception,
    status: int,
    said: str,
    next_step: str,
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(listing, "products", fail)
    monkeypatch.setattr(listing, "categories", fail)
    client = Client(raise_request_exception=False)
    with django_assert_num_queries(0):
        pages = [client.get("/catalogue/", headers={"Accept-Language": name}) for name in ("en", "zh")]
    english, chinese = (page.content.decode().split("<main")[1].split("</main>")[0] for page in pages)
    assert [page.status_code for page in pages] == [status] * 2
    assert said in english
    assert said not in chinese
    assert [page["Content-Language"] for page in pages] == ["en", "zh-hans"]
    assert f'href="{next_step}"' in english
    assert f'href="{next_step}"' in chinese


def test_a_fault_of_ours_names_the_moment_by_which_it_is_found_in_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listing, "products", lambda **_: 1 / 0)
    with time_machine.travel("2026-11-26 10:00:07Z", tick=False):
        page = Client(raise_request_exception=False).get("/catalogue/").content.decode()
    assert "name this moment: 2026-11-26 10:00:07 UTC." in page
    assert 'href="/help/#help-contact"' in page


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
