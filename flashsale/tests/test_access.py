"""Every role at every address. A view without a row fails, and so does a group without a column."""

from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.urls import path

from accounts.groups import GROUPS
from flashsale.tests import access
from flashsale.tests.access import RIVAL, ROLES, TABLE
from flashsale.tests.conftest import MakeSale

AS_LIBRARY = {
    "admin:None": "the old short address of a row, and the admin's own 404",
    "admin:app_list": "a part of the index",
    "admin:autocomplete": "asked with the model's own permission",
    "admin:jsi18n": "words",
    "admin:view_on_site": "a redirect to a public page",
}
"""Views of Django's admin that show nothing of their own."""


def _listed() -> set[str]:
    return {name for name, _ in access.names()} - set(AS_LIBRARY)


def test_every_view_has_its_row_and_every_row_its_view() -> None:
    assert _listed() == set(TABLE)


def test_a_view_without_a_row_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Addresses:
        url_patterns = [path("new/", HttpResponse, name="new")]

    monkeypatch.setattr(access, "get_resolver", Addresses)
    assert _listed() - set(TABLE) == {"new"}


def test_every_group_has_its_column() -> None:
    assert set(GROUPS) < set(ROLES)
    assert {len(row) for rows in TABLE.values() for row in rows} == {len(ROLES)}


@pytest.mark.parametrize("name", TABLE)
def test_each_role_gets_what_its_row_says(name: str, make_sale: MakeSale) -> None:
    address, row = access.set_stage(make_sale).address(name), TABLE[name]
    told = {method: "".join(_letter(address, method, role) for role in ROLES) for method in ("GET", "POST")}
    assert told == {"GET": row.get, "POST": row.post}
    for method in ("PUT", "PATCH", "DELETE"):
        for role in ("anonymous", RIVAL):
            assert _letter(address, method, role) != "y" or row.post[ROLES.index(role)] == "y", method


def _letter(address: str, method: str, role: str) -> str:
    """Ask, and take back what was changed: the next one finds the same stage."""
    taken_back = transaction.atomic()
    taken_back._from_testcase = True  # type: ignore[attr-defined]  # as Django's own test case around a test
    with taken_back:
        answer: Any = access.browser_of(role).generic(method, address)
        transaction.set_rollback(True)
    return access.letter(answer)


@pytest.mark.parametrize("model", access.BY_MODEL)
def test_no_page_of_the_admin_fails_for_a_key_that_is_none(model: str, make_sale: MakeSale) -> None:
    access.set_stage(make_sale)
    client = access.browser_of(access.ADMIN)
    for page in ("history", "change", "delete"):
        for key in ("none", "0", "-1", "9" * 30, "_3A"):
            assert client.get(f"/admin/{model.replace('_', '/')}/{key}/{page}/").status_code in (
                302,
                404,
                403,
            )
