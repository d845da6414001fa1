"""The list of a sale from a file: all of it or nothing."""

from collections.abc import Callable

import pytest

from flashsale import whitelist
from flashsale.errors import UnreadableList
from flashsale.models import Sale, SaleItem

Make = Callable[..., SaleItem]


@pytest.fixture
def sale(make_sale: Make, transactional_db: None) -> Sale:
    return make_sale(scheduled=False).sale


def listed(sale: Sale) -> list[str]:
    return sorted(sale.whitelist.values_list("email", flat=True))


def test_one_address_a_line_is_read() -> None:
    assert whitelist.read(b"Ann@Example.com\r\n\r\n bob@example.com \n").emails == [
        "ann@example.com",
        "bob@example.com",
    ]


@pytest.mark.parametrize("sign", [b",", b";", b"\t"])
def test_the_column_named_email_is_read(sign: bytes) -> None:
    content = sign.join([b"name", b"E-mail"]) + b"\n" + sign.join([b"Ann", b"ann@example.com"])
    assert whitelist.read(content).emails == ["ann@example.com"]


def test_a_byte_order_mark_and_quotes_are_no_part_of_an_address() -> None:
    assert whitelist.read(b'\xef\xbb\xbfemail\n"ann@example.com"\n').emails == ["ann@example.com"]


def test_bad_rows_and_repeated_ones_are_told_by_line() -> None:
    reading = whitelist.read(b"email\nann@example.com\nnobody\nANN@example.com\n=cmd|'x'!a@example.com\n")
    assert reading.emails == ["ann@example.com"]
    assert [line for line, _sentence in reading.errors] == [3, 5]
    assert reading.errors[0][1] == "“nobody” is not an e-mail address."
    assert reading.repeated == [(4, "ann@example.com")]


def test_a_formula_is_no_address() -> None:
    assert whitelist.read(b"=1+1@example.com\n@a@example.com\n+49@example.com\n").emails == []


@pytest.mark.parametrize(
    "content", [b"\xff\xfe\x00", b"ann@example.com\0", b"x" * (whitelist.LARGEST_FILE + 1)]
)
def test_a_file_that_is_no_text_or_too_large_is_refused(content: bytes) -> None:
    with pytest.raises(UnreadableList):
        whitelist.read(content)


def test_a_quote_that_never_ends_is_refused() -> None:
    with pytest.raises(UnreadableList, match="Line 1 "):
        whitelist.read(b'email,"' + b"x" * 200_000)


def test_more_rows_than_a_list_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whitelist, "MOST_ROWS", 2)
    with pytest.raises(UnreadableList, match="more than 2 addresses"):
        whitelist.read(b"a@example.com\nb@example.com\nc@example.com\n")


def test_addresses_are_added_once(sale: Sale) -> None:
    assert whitelist.put(sale=sale, emails=["ann@example.com"]) == 1
    assert whitelist.put(sale=sale, emails=["ann@example.com", "bob@example.com"]) == 1
    assert listed(sale) == ["ann@example.com", "bob@example.com"]


def test_a_list_is_replaced_in_one_step(sale: Sale) -> None:
    whitelist.put(sale=sale, emails=["ann@example.com"])
    assert whitelist.put(sale=sale, emails=["bob@example.com"], replace=True) == 1
    assert listed(sale) == ["bob@example.com"]


def test_nothing_is_half_imported(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whitelist, "BATCH", 1)
    whitelist.put(sale=sale, emails=["ann@example.com"])
    with pytest.raises(ValueError, match="NUL"):
        whitelist.put(sale=sale, emails=["bob@example.com", "nul\0@example.com"], replace=True)
    assert listed(sale) == ["ann@example.com"]


def test_a_hundred_thousand_rows_are_imported(sale: Sale) -> None:
    content = "\n".join(f"shopper-{number}@example.com" for number in range(100_000)).encode()
    assert whitelist.put(sale=sale, emails=whitelist.read(content).emails) == 100_000
