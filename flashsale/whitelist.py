"""The list of a sale: e-mail addresses from a text, CSV or XLSX file, all of them or none."""

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from import_export.resources import ModelResource
from import_export.results import Result, RowResult
from tablib import Dataset

from flashsale import sheets
from flashsale.errors import UnreadableList
from flashsale.models import Sale, WhitelistEntry

LARGEST_FILE = 10 * 1024 * 1024
MOST_ROWS = 200_000
BATCH = 5_000
LONGEST_EMAIL = 254
FORMULA_SIGNS = ("=", "+", "-", "@")
Row = dict[str, Any]


class Trouble(Result):
    """What went wrong, and how many rows went well: of a hundred thousand of those nothing more is kept."""

    def append_row_result(self, row_result: RowResult) -> None:
        """Keep a row that the library could not write: then it takes everything back."""
        if row_result.errors:
            super().append_row_result(row_result)


class Entries(ModelResource):
    """The list of one sale for django-import-export; after an import `repeated` names lines said twice."""

    class Meta:
        model = WhitelistEntry
        fields = ("email",)
        import_id_fields = ("email",)
        use_transactions = use_bulk = skip_diff = skip_html_diff = True
        batch_size = BATCH

    def __init__(
        self, sale: Sale, *, replace: bool = False, tell: Callable[[int, int], None] | None = None
    ) -> None:
        super().__init__()
        self.sale, self.replace, self.tell = sale, replace, tell
        self.listed, self.read = set[str](), set[str]()
        self.repeated: list[int] = []

    @classmethod
    def get_result_class(cls) -> type[Result]:
        """Return what keeps little."""
        return Trouble

    def get_queryset(self) -> QuerySet[WhitelistEntry]:
        """Return what is exported."""
        return self.sale.whitelist.order_by("email")

    def before_import(self, dataset: Dataset, **kwargs: Any) -> None:
        """Let two imports follow each other: the second sees what the first wrote, and adds to it."""
        Sale.objects.select_for_update().get(pk=self.sale.pk)
        if self.replace:
            self.sale.whitelist.all().delete()
        self.listed = set(self.sale.whitelist.values_list("email", flat=True))
        self.total = len(dataset)

    def before_import_row(self, row: Row, **kwargs: Any) -> None:
        """Tell how far it is, in batches; raises ValidationError for what is no address."""
        done = kwargs["row_number"]
        if self.tell and (done % BATCH == 0 or done == self.total):
            self.tell(done, self.total)
        if not _is_address(row["email"]):
            raise ValidationError(_("“%(text)s” is not an e-mail address.") % {"text": row["email"][:100]})

    def get_or_init_instance(self, instance_loader: Any, row: Row) -> tuple[WhitelistEntry, bool]:
        """Return a new entry: none is ever changed."""
        return WhitelistEntry(sale_id=self.sale.pk, email=row["email"]), True

    def import_instance(self, instance: WhitelistEntry, row: Row, **kwargs: Any) -> None:
        """Set nothing more: field by field the library would take as long again."""

    def skip_row(self, instance: WhitelistEntry, original: Any, row: Row, *errors: Any) -> bool:
        """Pass over what is on the list; note what the file itself said before."""
        if instance.email in self.read:
            self.repeated.append(row["line"])
        is_known = instance.email in self.listed
        self.read.add(instance.email)
        self.listed.add(instance.email)
        return is_known


def put(rows: Dataset, entries: Entries) -> Result:
    """Add addresses to the sale's list, or replace it by them, in one transaction; nothing if a row is bad.

    Raises what the database raised.
    """
    result = entries.import_data(rows, rollback_on_validation_errors=True)
    for failed in [*result.base_errors, *(error for row in result.error_rows for error in row.errors)]:
        raise failed.error
    return result


def read(content: bytes, *, tell: Callable[[int], None] | None = None) -> Dataset:
    """Read one address a line, or the column `email` of a CSV or XLSX file, with line numbers.

    `tell` hears now and then how many lines were read. Raises UnreadableList.
    """
    if len(content) > LARGEST_FILE:
        raise UnreadableList(_("The file is larger than 10 MB."))
    rows = list[tuple[int, str]]()
    # Row by row: the library's own readers unpack a whole sheet before anybody can count its cells.
    for line, value in sheets.values(content) if sheets.is_sheet(content) else _values(_text(content)):
        rows.append((line, value.lower()))
        if tell is not None and line % BATCH == 0:
            tell(line)
        if len(rows) > MOST_ROWS:
            raise UnreadableList(_("The file has more than %(most)d addresses.") % {"most": MOST_ROWS})
    return Dataset(*rows, headers=["line", "email"])


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableList(_("The file is not text in UTF-8.")) from error
    if "\0" in text:
        raise UnreadableList(_("The file is not text in UTF-8."))
    return text


def _values(text: str) -> Iterator[tuple[int, str]]:
    """Yield (line number, address) of every line that is not empty."""
    reader = csv.reader(io.StringIO(text), dialect=_dialect(text))
    column = 0
    try:
        for number, row in enumerate(reader):
            cells = [cell.strip() for cell in row]
            if number == 0 and (header := sheets.header(cells)) is not None:
                column = header
            elif any(cells):
                yield reader.line_num, cells[column] if column < len(cells) else ""
    except csv.Error as error:
        sentence = _("Line %(line)d cannot be read as CSV: %(reason)s.")
        raise UnreadableList(sentence % {"line": reader.line_num, "reason": error}) from error


def _dialect(text: str) -> type[csv.Dialect]:
    """Return how the columns are parted, judging by the first line: a comma, a semicolon or a tab."""
    first = text.partition("\n")[0]

    class Found(csv.excel):
        delimiter = next((sign for sign in ";\t" if sign in first), ",")

    return Found


def _is_address(text: str) -> bool:
    """Whether this is an address; one that a spreadsheet would run as a formula is none."""
    if len(text) > LONGEST_EMAIL or text.startswith(FORMULA_SIGNS):
        return False
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
