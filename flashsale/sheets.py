"""Lists of addresses as XLSX, read row by row, within bounds."""

import io
from collections.abc import Iterator
from itertools import islice
from zipfile import ZipFile

from django.utils.translation import gettext as _
from openpyxl import load_workbook

from flashsale.errors import UnreadableList

ZIPPED = b"PK\x03\x04"
LARGEST_UNPACKED = 200 * 1024 * 1024
LAST_ROW, MOST_COLUMNS = 1_048_576, 100
NAMES = ("email", "e-mail", "e-mail address")


def is_sheet(content: bytes) -> bool:
    """Whether this is an XLSX file rather than text."""
    return content.startswith(ZIPPED)


def header(cells: list[str]) -> int | None:
    """Return which column holds the addresses, if the first row says so."""
    names = [cell.casefold() for cell in cells]
    return next((names.index(name) for name in NAMES if name in names), None)


def values(content: bytes) -> Iterator[tuple[int, str]]:
    """Yield (row, address) of every row of the first sheet that is not empty; raises UnreadableList."""
    column = 0
    for number, row in enumerate(_rows(content)):
        cells = ["" if cell is None else str(cell).strip() for cell in row]
        if number == 0 and (found := header(cells)) is not None:
            column = found
        elif any(cells):
            yield number + 1, cells[column] if column < len(cells) else ""


def _rows(content: bytes) -> Iterator[tuple[object, ...]]:
    try:
        _bound(content)
        sheet = load_workbook(io.BytesIO(content), read_only=True, data_only=True).worksheets[0]
        # The size is only claimed by the file: two cells far apart would be a sheet of billions.
        sheet.reset_dimensions()
        for row in islice(sheet.iter_rows(values_only=True), LAST_ROW):
            yield row[:MOST_COLUMNS]
    except UnreadableList:
        raise
    except Exception as error:  # zipfile, zlib, the parser and openpyxl each have kinds of their own
        raise UnreadableList(_("The file is neither text nor XLSX.")) from error


def _bound(content: bytes) -> None:
    """A file of 10 MB may unpack to very much more: its own table of contents says how much."""
    if sum(part.file_size for part in ZipFile(io.BytesIO(content)).infolist()) > LARGEST_UNPACKED:
        raise UnreadableList(_("The file unpacks to more than 200 MB."))
