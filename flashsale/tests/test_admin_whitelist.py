"""The list of a sale is uploaded in the admin: whole, or not at all and why."""

import io
from collections.abc import Callable
from datetime import timedelta
from string import ascii_uppercase
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook

from accounts.models import User
from flashsale import sheets, whitelist
from flashsale.cockpit import entrants
from flashsale.models import SaleItem
from flashsale.tests.pages import logged_in, words

pytestmark = pytest.mark.django_db(transaction=True)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


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


def as_sheet(*rows: list[Any]) -> bytes:
    book, out = Workbook(), io.BytesIO()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(out)
    return out.getvalue()


def test_a_sheet_is_imported_like_text(boss: Client, item: SaleItem) -> None:
    content = as_sheet(
        ["Name", "Email"], ["Ann", "Ann@example.com"], [None, None], ["Bob", "bob@example.com"]
    )
    assert said(upload(boss, item, content)) == ["2 addresses are new on the list."]
    assert listed(item) == ["ann@example.com", "bob@example.com"]


def test_a_bad_row_of_a_sheet_keeps_everything_out_and_is_named(boss: Client, item: SaleItem) -> None:
    text = words(upload(boss, item, as_sheet(["email"], ["ann@example.com"], [17])))
    assert "Line 3: “17” is not an e-mail address." in text
    assert listed(item) == []


def with_part(name: str, text: str) -> bytes:
    """Return a sheet of which one part is another."""
    out = io.BytesIO()
    with ZipFile(io.BytesIO(as_sheet(["x"]))) as old, ZipFile(out, "w") as new:
        for part in old.namelist():
            new.writestr(part, text if part.endswith(name) else old.read(part))
    return out.getvalue()


def with_rubbish(name: bytes) -> bytes:
    """Return a sheet of which one part cannot be unpacked."""
    content = as_sheet(["x"])
    begin = content.index(name) + len(name) + 10
    return content[:begin] + b"\xff" * 20 + content[begin + 20 :]


BROKEN = {
    "no archive": b"PK\x03\x04 and no more",
    "cut off": as_sheet(["x"])[:900],
    "does not unpack": with_rubbish(b"[Content_Types].xml"),
    "no XML": with_part("sheet1.xml", "x"),
    "another size": with_part("sheet1.xml", f'<worksheet xmlns="{MAIN}"><dimension rex="A1"/></worksheet>'),
    "a number that is none": with_part(
        "styles.xml", f'<styleSheet xmlns="{MAIN}"><fonts count="x"/></styleSheet>'
    ),
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_sheet_is_said(boss: Client, item: SaleItem, content: bytes) -> None:
    assert "The file is neither text nor XLSX." in words(upload(boss, item, content))


def test_a_sheet_that_unpacks_to_too_much_is_refused(
    boss: Client, item: SaleItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "LARGEST_UNPACKED", 1_000)
    assert "unpacks to more than" in words(upload(boss, item, as_sheet(["email"], ["ann@example.com"])))


def with_cells(*cells: str) -> bytes:
    """Return a sheet that has nothing but these cells, each with the word "far" in it."""
    rows = "".join(
        f'<row r="{cell.strip(ascii_uppercase)}"><c r="{cell}" t="str"><v>far</v></c></row>' for cell in cells
    )
    size = f'<dimension ref="{cells[0]}:{cells[-1]}"/>'
    return with_part(
        "sheet1.xml", f'<worksheet xmlns="{MAIN}">{size}<sheetData>{rows}</sheetData></worksheet>'
    )


def test_two_cells_far_apart_do_not_make_a_sheet_of_billions(boss: Client, item: SaleItem) -> None:
    text = words(upload(boss, item, with_cells("A1", "XFD1048576")))
    assert "Line 1: “far” is not an e-mail address." in text


def test_rows_beyond_the_last_one_of_the_format_are_not_read(boss: Client, item: SaleItem) -> None:
    text = words(upload(boss, item, with_cells("A1", "A999999999999")))
    assert "Line 1: “far” is not an e-mail address." in text
    assert "Line 999999999999" not in text


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_was_taken_out_can_be_put_in_again(boss: Client, item: SaleItem, kind: str) -> None:
    upload(boss, item, b"email\nann@example.com\nbob@example.com\n")
    content = boss.get(f"/admin/flashsale/sale/{item.sale_id}/whitelist/list.{kind}").content
    item.sale.whitelist.all().delete()
    assert said(upload(boss, item, content)) == ["2 addresses are new on the list."]


def test_a_hundred_thousand_rows_are_imported_and_their_progress_is_told(
    boss: Client, item: SaleItem
) -> None:
    told: list[tuple[int, int]] = []
    rows = whitelist.read(as_sheet(["email"], *[[f"shopper{n}@example.com"] for n in range(100_000)]))
    entries = whitelist.Entries(item.sale, tell=lambda *how: told.append(how))
    added = whitelist.put(rows, entries).totals["new"]
    assert (added, told[-1], len(told)) == (100_000, (100_000, 100_000), 20)
    entrants.tell_progress(item.sale, 5_000, 100_000)
    url = f"/admin/flashsale/sale/{item.sale_id}/whitelist/progress/"
    assert boss.get(url).json() == {"done": 5_000, "total": 100_000, "read": 0}


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_how_many_lines_are_read_is_told_while_they_are(boss: Client, item: SaleItem, kind: str) -> None:
    emails = [f"shopper{n}@example.com" for n in range(12_000)]
    lines = ["email", *emails]
    content = "\n".join(lines).encode() if kind == "csv" else as_sheet(*[[line] for line in lines])
    told: list[int] = []
    assert len(whitelist.read(content, tell=told.append)) == 12_000
    assert told == [5_000, 10_000]
    upload(boss, item, b"not an address\n" * 5_001)  # refused: the page has seen how far it came
    url = f"/admin/flashsale/sale/{item.sale_id}/whitelist/progress/"
    assert boss.get(url).json() == {"done": 5_001, "total": 5_001, "read": 0}


def test_the_rules_are_counted_together_and_one_by_one(boss: Client, item: SaleItem) -> None:
    sale, now = item.sale, timezone.now()
    sale.min_level, sale.min_account_days, sale.whitelist_only = 2, 30, True
    sale.save()
    old = now - timedelta(days=90)
    for name, fields in {
        "good": {"level": 2, "date_joined": old},
        "young": {"level": 2, "date_joined": now},
        "low": {"level": 1, "date_joined": old},
        "both": {"level": 0, "date_joined": now},
        "away": {"level": 2, "date_joined": old},
        "bad": {"level": 2, "date_joined": old, "standing": "blocked"},
    }.items():
        User.objects.create(email=f"{name}@example.com", **fields)
    upload(
        boss,
        item,
        b"good@example.com\nyoung@example.com\nlow@example.com\nboth@example.com\nbad@example.com\n",
    )
    text = words(boss.get(f"/admin/flashsale/sale/{item.sale_id}/whitelist/"))
    for sentence in (
        "This lets in 1 shopper of 7.",
        "Blocked: 1.",
        "Accounts younger than 30 days: 3.",
        "Below level 2: 3.",
        "Not on the list: 2.",
    ):
        assert sentence in text


def test_one_address_is_asked_about(boss: Client, item: SaleItem) -> None:
    sale = item.sale
    sale.whitelist_only = True
    sale.save()
    User.objects.create(email="ann@example.com")
    User.objects.create(email="bob@example.com")
    upload(boss, item, b"ann@example.com\ncat@example.com\n")
    assert entrants.ask(sale, " ANN@example.com") == "ann@example.com may enter."
    assert entrants.ask(sale, "bob@example.com").startswith(
        "bob@example.com may not enter (F-14). The shopper reads:"
    )
    assert entrants.ask(sale, "cat@example.com") == "cat@example.com has no account. It is on the list."
    page = words(boss.get(f"/admin/flashsale/sale/{sale.pk}/whitelist/", {"email": "ann@example.com"}))
    assert "ann@example.com may enter." in page
