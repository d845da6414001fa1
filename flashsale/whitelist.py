"""The list of a sale: e-mail addresses from a text, CSV or XLSX file, all of them or none."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _

from flashsale import sheets
from flashsale.errors import UnreadableList
from flashsale.models import Sale, WhitelistEntry

LARGEST_FILE = 10 * 1024 * 1024
MOST_ROWS = 200_000
BATCH = 5_000
ERRORS_SHOWN = 50
LONGEST_EMAIL = 254
FORMULA_SIGNS = ("=", "+", "-", "@")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file says: addresses in lower case, and by line number what is wrong with it or said twice."""

    emails: list[str] = field(default_factory=list)
    errors: list[tuple[int, str]] = field(default_factory=list)
    repeated: list[tuple[int, str]] = field(default_factory=list)


def read(content: bytes, *, tell: Callable[[int], None] | None = None) -> Reading:
    """Read one address a line, or the column `email` of a CSV or XLSX file; raises UnreadableList.

    `tell` hears now and then how many lines were read.
    """
    if len(content) > LARGEST_FILE:
        raise UnreadableList(_("The file is larger than 10 MB."))
    found, seen = Reading(), set[str]()
    for line, value in sheets.values(content) if sheets.is_sheet(content) else _values(_text(content)):
        _take(found, seen, line, value)
        if tell is not None and line % BATCH == 0:
            tell(line)
        if len(seen) > MOST_ROWS:
            raise UnreadableList(_("The file has more than %(most)d addresses.") % {"most": MOST_ROWS})
    return found


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableList(_("The file is not text in UTF-8.")) from error
    if "\0" in text:
        raise UnreadableList(_("The file is not text in UTF-8."))
    return text


def put(
    *, sale: Sale, emails: list[str], replace: bool = False, tell: Callable[[int, int], None] | None = None
) -> int:
    """Add addresses to the sale's list in one transaction, or replace it by them; return how many are new.

    `tell` hears (written, all) after each batch.
    """
    with transaction.atomic(durable=True):
        if replace:
            sale.whitelist.all().delete()
        before = sale.whitelist.count()
        for first in range(0, len(emails), BATCH):
            rows = [WhitelistEntry(sale=sale, email=email) for email in emails[first : first + BATCH]]
            # Two uploads may bring the same address: the second finds it there and leaves it.
            WhitelistEntry.objects.bulk_create(
                rows, update_conflicts=True, unique_fields=["sale", "email"], update_fields=["email"]
            )
            if tell is not None:
                tell(first + len(rows), len(emails))
        return sale.whitelist.count() - before


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


def _take(found: Reading, seen: set[str], line: int, value: str) -> None:
    email = value.lower()
    if not _is_address(email):
        sentence = _("“%(text)s” is not an e-mail address.") % {"text": value[:100]}
        found.errors.append((line, sentence))
    elif email in seen:
        found.repeated.append((line, email))
    else:
        seen.add(email)
        found.emails.append(email)


def _is_address(text: str) -> bool:
    """Whether this is an address; one that a spreadsheet would run as a formula is none."""
    if len(text) > LONGEST_EMAIL or text.startswith(FORMULA_SIGNS):
        return False
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
