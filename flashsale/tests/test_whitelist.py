"""The list of a sale from a file: all of it or nothing."""

from collections.abc import Callable
from functools import partial
from threading import Barrier

import pytest
from django.db import IntegrityError
from django.db.models import QuerySet
from import_export.results import Result

from flashsale import whitelist
from flashsale.errors import UnreadableList
from flashsale.models import Sale, SaleItem
from shop.orders.tests.threads import at_once

Make = Callable[..., SaleItem]


@pytest.fixture
def sale(make_sale: Make, transactional_db: None) -> Sale:
    return make_sale(scheduled=False).sale


def emails(content: bytes) -> list[str]:
    return list(whitelist.read(content)["email"])


def put(sale: Sale, content: bytes, *, replace: bool = False) -> Result:
    return whitelist.put(whitelist.read(content), whitelist.Entries(sale, replace=replace))


def listed(sale: Sale) -> list[str]:
    return sorted(sale.whitelist.values_list("email", flat=True))


def test_one_address_a_line_is_read() -> None:
    assert emails(b"Ann@Example.com\r\n\r\n bob@example.com \n") == ["ann@example.com", "bob@example.com"]


@pytest.mark.parametrize("sign", [b",", b";", b"\t"])
def test_the_column_named_email_is_read(sign: bytes) -> None:
    content = sign.join([b"name", b"E-mail"]) + b"\n" + sign.join([b"Ann", b"ann@example.com"])
    assert emails(content) == ["ann@example.com"]


def test_a_byte_order_mark_and_quotes_are_no_part_of_an_address() -> None:
    assert emails(b'\xef\xbb\xbfemail\n"ann@example.com"\n') == ["ann@example.com"]


def test_bad_rows_and_repeated_ones_are_told_by_line(sale: Sale) -> None:
    content = b"email\nann@example.com\n\nnobody\nANN@example.com\n=cmd|'x'!a@example.com\n"
    rows, entries = whitelist.read(content), whitelist.Entries(sale)
    bad = whitelist.put(rows, entries).invalid_rows
    assert [rows["line"][row.number - 1] for row in bad] == [4, 6]
    assert bad[0].error.message == "“nobody” is not an e-mail address."
    assert entries.repeated == [5]
    assert listed(sale) == []


def test_a_formula_is_no_address(sale: Sale) -> None:
    assert len(put(sale, b"=1+1@example.com\n@a@example.com\n+49@example.com\n").invalid_rows) == 3
    assert listed(sale) == []


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
    assert put(sale, b"ann@example.com").totals["new"] == 1
    assert put(sale, b"ann@example.com\nbob@example.com").totals["new"] == 1
    assert listed(sale) == ["ann@example.com", "bob@example.com"]


def test_a_list_is_replaced_in_one_step(sale: Sale) -> None:
    put(sale, b"ann@example.com")
    assert put(sale, b"bob@example.com", replace=True).totals["new"] == 1
    assert listed(sale) == ["bob@example.com"]


def test_nothing_is_half_imported(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whitelist.Entries._meta, "batch_size", 1)
    put(sale, b"ann@example.com")
    assert put(sale, b"bob@example.com\nnobody", replace=True).invalid_rows
    assert listed(sale) == ["ann@example.com"]


def test_an_import_that_the_database_refuses_is_no_success(
    sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(sale, b"ann@example.com")
    monkeypatch.setattr(whitelist.Entries, "skip_row", lambda *_args: False)  # so that a repeat is written
    with pytest.raises(IntegrityError):
        put(sale, b"bob@example.com\nann@example.com")
    assert listed(sale) == ["ann@example.com"]


def new(sale: Sale, content: bytes) -> int:
    return int(put(sale, content).totals["new"])


def test_two_imports_of_one_list_both_succeed(sale: Sale) -> None:
    contents = [b"ann@example.com\nbob@example.com", b"bob@example.com\ncat@example.com"]
    added = at_once([partial(new, sale, content) for content in contents])
    assert sum(added) == 3
    assert listed(sale) == ["ann@example.com", "bob@example.com", "cat@example.com"]


def test_without_the_lock_two_imports_of_one_list_collide(
    sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    both, begin = Barrier(2, timeout=10), whitelist.Entries.before_import

    def meet(entries: whitelist.Entries, dataset: object, **kwargs: object) -> None:
        begin(entries, dataset, **kwargs)
        both.wait()

    monkeypatch.setattr(QuerySet, "select_for_update", lambda rows, **_: rows)
    monkeypatch.setattr(whitelist.Entries, "before_import", meet)
    with pytest.raises(IntegrityError):
        at_once([partial(new, sale, b"ann@example.com")] * 2)
    assert listed(sale) == ["ann@example.com"]


def test_a_hundred_thousand_rows_are_imported(sale: Sale) -> None:
    content = "\n".join(f"shopper-{number}@example.com" for number in range(100_000)).encode()
    assert put(sale, content).totals["new"] == 100_000
