"""The list of a sale is uploaded in the admin: whole, or not at all and why."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import User
from flashsale import whitelist
from flashsale.models import SaleItem
from flashsale.tests.pages import logged_in, words

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def item(make_sale: Callable[..., SaleItem]) -> SaleItem:
    return make_sale(scheduled=False)


@pytest.fixture
def boss(db: None) -> Client:
    return logged_in(User.objects.create_superuser("boss@example.com"))


def upload(client: Client, item: SaleItem, content: bytes, **fields: str) -> Any:
    file = SimpleUploadedFile("list.csv", content, content_type="text/csv")
    return client.post(
        f"/admin/flashsale/sale/{item.sale_id}/whitelist/", {"file": file} | fields, follow=True
    )


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def listed(item: SaleItem) -> list[str]:
    return sorted(item.sale.whitelist.values_list("email", flat=True))


def test_a_good_file_is_imported_and_repeats_are_told(boss: Client, item: SaleItem) -> None:
    response = upload(boss, item, b"email\nann@example.com\nbob@example.com\nann@example.com\n")
    assert said(response) == [
        "2 addresses are new on the list.",
        "These lines repeat an address and were passed over: 4.",
    ]
    assert listed(item) == ["ann@example.com", "bob@example.com"]


def test_a_bad_line_keeps_everything_out_and_is_named(boss: Client, item: SaleItem) -> None:
    response = upload(boss, item, b"email\nann@example.com\nnobody\n")
    assert "Line 3: “nobody” is not an e-mail address." in words(response)
    assert "Nothing was imported" in words(response)
    assert listed(item) == []


def test_markup_in_a_bad_line_stays_text(boss: Client, item: SaleItem) -> None:
    response = upload(boss, item, b"<svg onload=alert(1)>\n")
    assert "<svg onload" not in response.content.decode()
    assert "&lt;svg onload=alert(1)&gt;" in response.content.decode()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\xff\xfe\x00\x00", "The file is not text in UTF-8."),
        (b"email\n", "There is no address in this file."),
        (b"", "The file is empty."),
    ],
)
def test_a_file_without_addresses_is_refused_with_a_sentence(
    boss: Client, item: SaleItem, content: bytes, sentence: str
) -> None:
    response = upload(boss, item, content)
    assert response.status_code == 200
    assert sentence in words(response)


def test_a_file_that_is_too_large_is_refused(
    boss: Client, item: SaleItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whitelist, "LARGEST_FILE", 20)
    response = upload(boss, item, b"ann@example.com\nbob@example.com\n")
    assert "The file is larger than 10 MB." in words(response)
    assert listed(item) == []


def test_a_list_is_replaced_if_asked_for(boss: Client, item: SaleItem) -> None:
    upload(boss, item, b"ann@example.com\n")
    upload(boss, item, b"bob@example.com\n", replace="on")
    assert listed(item) == ["bob@example.com"]


def test_the_page_says_how_many_are_on_the_list(boss: Client, item: SaleItem) -> None:
    upload(boss, item, b"ann@example.com\n")
    text = words(boss.get(f"/admin/flashsale/sale/{item.sale_id}/whitelist/"))
    assert "1 address is on the list." in text
