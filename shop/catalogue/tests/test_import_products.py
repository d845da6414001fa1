"""manage.py import_products: what is said of files and rows that cannot be used."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from shop.catalogue.models import Category, Product, Variant
from shop.catalogue.tests.files import FIRST, a_file, more, row, sizes
from shop.catalogue.tests.shelf import a_product, a_variant

pytestmark = pytest.mark.django_db(transaction=True)

NOTHING = "Nothing was imported. Mend these rows and import the file again."


def told(path: Path, *options: str) -> str:
    out = io.StringIO()
    call_command("import_products", str(path), *options, stdout=out)
    return out.getvalue()


def refused(path: Path) -> tuple[str, list[str]]:
    """The last sentence, and the lines before it; nothing may have been written."""
    before = Product.objects.count()
    err = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_products", str(path), stderr=err, no_color=True)
    assert caught.value.returncode == 1
    assert (Product.objects.count(), Category.objects.count()) == (before, 0)
    return str(caught.value), err.getvalue().splitlines()


def lines(path: Path) -> list[str]:
    last, listed = refused(path)
    assert last == NOTHING
    return listed


def test_success_is_told_in_numbers(tmp_path: Path) -> None:
    path = a_file(tmp_path, *sizes("Small", "Large"))
    assert told(path, "--dry-run") == (
        "Dry run, nothing was written: 1 product (1 new), 2 variants, 1 categories.\n"
    )
    assert told(path) == "Imported 1 product (1 new), 2 variants, 1 categories.\n"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"Handle": ""}, "Handle is missing."),
        (
            {"Handle": "a/b"},
            "Handle is “a/b”; it may have letters, digits, hyphens and underscores.",
        ),
        ({"Title": ""}, "Title is missing in the first row of “lamp”."),
        ({"Title": "a" * 201}, "Title has 201 characters; at most 200 are kept."),
        ({"Title": "a\x00b"}, "Title contains a zero byte."),
        ({"Body_(HTML)": "a" * 100_001}, "Body (HTML) has 100001 characters; at most 100000 are kept."),
        ({"Type": "!!!"}, "Type is “!!!”; it needs a letter or a digit."),
        ({"Published": "maybe"}, "Published is “maybe”; it is either true or false."),
        ({"Variant_Price": ""}, "Variant Price is missing."),
        ({"Variant_Price": "1,50"}, "Variant Price: “1,50” is not an amount such as 49.00."),
        ({"Variant_Price": "-1"}, "Variant Price: “-1” is not between 0 and USD 21,474,836.47."),
        (
            {"Variant_Compare_At_Price": "much"},
            "Variant Compare At Price: “much” is not an amount such as 49.00.",
        ),
        (
            {"Variant_Inventory_Qty": "2.5"},
            "Variant Inventory Qty is “2.5”, which is not a whole number.",
        ),
        ({"Variant_Inventory_Qty": "3000000000"}, "Variant Inventory Qty is more than 2147483647."),
        ({"Image_Position": "-2"}, "Image Position is -2; it counts from 1."),
    ],
)
def test_a_bad_row_is_named_by_its_line(tmp_path: Path, changes: dict[str, str], sentence: str) -> None:
    good = row(Handle="jug", Title="Jug", Type="")
    assert lines(a_file(tmp_path, good, row(**changes))) == [f"Line 3: {sentence}"]


def test_every_bad_row_is_listed_and_lines_are_those_of_the_file(tmp_path: Path) -> None:
    many = "<ul>\n<li>One</li>\n</ul>\n"
    path = a_file(
        tmp_path,
        row(**{"Body (HTML)": many}),
        row(Handle="jug", Title="Jug", Variant_Price="x", **{"Body (HTML)": many}),
        row(Handle="cup", Title=""),
    )
    assert lines(path) == [
        "Line 6: Variant Price: “x” is not an amount such as 49.00.",
        "Line 10: Title is missing in the first row of “cup”.",
    ]


def test_a_further_row_needs_a_variant_or_a_picture(tmp_path: Path) -> None:
    assert lines(a_file(tmp_path, row(), more())) == ["Line 3: The row has neither a variant nor a picture."]


def test_a_bad_first_row_is_not_blamed_on_those_that_follow(tmp_path: Path) -> None:
    path = a_file(tmp_path, *sizes("Small", "Large", Title=""))
    assert lines(path) == ["Line 2: Title is missing in the first row of “lamp”."]


def test_the_same_options_twice_are_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, *sizes("Small", "Small"))
    assert lines(path) == ["Line 3: “lamp” has the same options already on line 2."]


def test_the_same_sku_twice_is_refused(tmp_path: Path) -> None:
    path = a_file(tmp_path, row(Variant_SKU="A"), row(Handle="jug", Title="Jug", Variant_SKU="A"))
    assert lines(path) == [
        "Line 2: Variant SKU “A” stands on 2 rows; each variant has its own.",
        "Line 3: Variant SKU “A” stands on 2 rows; each variant has its own.",
    ]


def test_a_sku_of_another_product_is_refused(tmp_path: Path) -> None:
    a_variant(a_product("Other", price=-1), sku="A")
    path = a_file(tmp_path, row(Variant_SKU="A"))
    assert lines(path) == ["Line 2: Variant SKU “A” belongs to another product in the shop."]


def test_options_that_an_unnamed_variant_has_already_are_refused(tmp_path: Path) -> None:
    product = a_product("Lamp", price=-1)
    a_variant(product, "Small", sku="A")
    a_variant(product, "Large", sku="B")
    path = a_file(tmp_path, *sizes("Large", Variant_SKU="A"))
    sentence = "Line 2: The shop has these options already, as SKU “B”, which the file does not name."
    assert lines(path) == [sentence]
    assert [one.options for one in Variant.objects.order_by("sku")] == [["Small"], ["Large"]]


def test_a_row_of_the_wrong_length_is_refused_and_the_rest_is_still_read(tmp_path: Path) -> None:
    path = a_file(tmp_path, row())
    with path.open("a") as file:
        file.write("jug,Jug\r\n")
        file.write(",".join(["", *list(FIRST)[1:]]) + "\r\n")
    assert lines(path) == [
        "Line 3: The row has 2 fields, the first line names 21.",
        "Line 4: Handle is missing.",
    ]


def test_a_quotation_mark_that_is_never_closed_is_named_by_its_line(tmp_path: Path) -> None:
    path = a_file(tmp_path, row())
    with path.open("a") as file:
        file.write('jug,"Jug\r\n,,\r\n')
    assert lines(path) == [
        "Line 3: From here on the table cannot be read: a quotation mark is missing or one too many."
    ]


def test_blank_lines_and_a_byte_order_mark_do_no_harm(tmp_path: Path) -> None:
    path = a_file(tmp_path, row())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\r\n", b"\r\n\r\n", 1) + b"\r\n")
    assert told(path) == "Imported 1 product (1 new), 1 variants, 1 categories.\n"


@pytest.mark.parametrize(
    ("contents", "sentence"),
    [
        (b"", "{path} is empty."),
        (b"\n", "{path} is empty."),
        (b"Handle,Title,Variant Price\n", "{path} has a first line with names, but no products."),
        (
            b"Name;Price\nLamp;5\n",
            "{path} is not a product file: its first line has no column “Handle”, “Title”, “Variant Price”.",
        ),
        (
            b"Handle,Title,Variant Price\nlamp,L\xe4mp,5\n",
            "{path} is not UTF-8 text. Save it as “CSV UTF-8” and import it again.",
        ),
    ],
)
def test_a_file_that_is_no_catalogue_is_one_sentence(tmp_path: Path, contents: bytes, sentence: str) -> None:
    path = tmp_path / "products.csv"
    path.write_bytes(contents)
    assert refused(path) == (sentence.format(path=path), [])


def test_a_file_that_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    missing = tmp_path / "none.csv"
    assert refused(missing) == (f"{missing} cannot be read: No such file or directory.", [])
    assert refused(tmp_path) == (f"{tmp_path} cannot be read: Is a directory.", [])


def test_three_columns_are_enough(tmp_path: Path) -> None:
    path = tmp_path / "products.csv"
    path.write_text("Handle,Title,Variant Price\nlamp,Lamp,5\n")
    assert told(path) == "Imported 1 product (1 new), 1 variants, 0 categories.\n"
    assert [(one.sku, one.price, one.stock) for one in Variant.objects.all()] == [("lamp-1", 500, 0)]


def test_an_import_that_has_to_wait_too_long_says_so(tmp_path: Path) -> None:
    told(a_file(tmp_path, row(Type="")))
    other = connection.copy()
    other.set_autocommit(False)
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT 1 FROM catalogue_variant FOR UPDATE")
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        last, _listed = refused(a_file(tmp_path, row(Type="")))
    finally:
        other.rollback()
        other.close()
        connection.close()
    assert last.startswith("Nothing was imported; try again in a moment. The database said: canceling")


def test_a_file_that_is_too_large_is_not_read_into_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    path = tmp_path / "products.csv"
    path.write_bytes(b"a" * 101)
    monkeypatch.setattr("shop.catalogue.csvfile.LARGEST_FILE", 100)
    monkeypatch.setattr(Path, "read_text", None)
    with pytest.raises(CommandError, match="is larger than 64 MB"):
        call_command("import_products", str(path))
