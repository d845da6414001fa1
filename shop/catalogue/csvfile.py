"""Reading a CSV file row by row, with the line on which each row begins."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from django.utils.translation import gettext as _

from shop.catalogue.errors import Problem, Unreadable

LARGEST_FILE = 64 * 1024 * 1024


@dataclass(frozen=True)
class Row:
    """One record of a file; `line` is the line it begins on, for texts may go over many lines."""

    line: int
    fields: dict[str, str]

    def text(self, name: str, *, longest: int) -> str:
        """A field without the space around it, empty if there is no such column.

        Raises ValueError with a sentence if it has more than `longest` characters or cannot be stored.
        """
        found = self.fields.get(name, "").strip()
        if len(found) > longest:
            numbers = {"name": name, "size": len(found), "longest": longest}
            raise ValueError(_("%(name)s has %(size)d characters; at most %(longest)d are kept.") % numbers)
        if "\x00" in found:
            raise ValueError(_("%(name)s contains a zero byte.") % {"name": name})
        return found

    def number(self, name: str) -> int | None:
        """A whole number, None if the field is empty; raises ValueError with a sentence."""
        found = self.text(name, longest=20)
        try:
            return int(found) if found else None
        except ValueError:
            raise ValueError(
                _("%(name)s is “%(found)s”, which is not a whole number.") % {"name": name, "found": found}
            ) from None

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false as the file says it; raises ValueError with a sentence for any other word."""
        found = self.text(name, longest=20).lower()
        if found not in ("", "true", "false"):
            words = {"name": name, "found": found}
            raise ValueError(_("%(name)s is “%(found)s”; it is either true or false.") % words)
        return found == "true" if found else default


def rows(path: Path, *, required: Sequence[str]) -> Iterator[Row | Problem]:
    """The rows of a UTF-8 file whose header has the `required` columns, or what is wrong with them.

    Blank lines are passed over. Raises Unreadable for a file that is no such table.
    """
    reader = csv.reader(StringIO(_contents(path), newline=""), strict=True)
    header = _header(path, reader, required)
    line = reader.line_num + 1
    try:
        for cells in reader:
            if len(cells) > 1 or any(cells):
                yield _row(line, header, cells)
            line = reader.line_num + 1
    except csv.Error:
        text = _("From here on the table cannot be read: a quotation mark is missing or one too many.")
        yield Problem(line, text)


def _row(line: int, header: Sequence[str], cells: Sequence[str]) -> Row | Problem:
    if len(cells) == len(header):
        return Row(line, dict(zip(header, cells, strict=True)))
    counts = {"cells": len(cells), "columns": len(header)}
    return Problem(line, _("The row has %(cells)d fields, the first line names %(columns)d.") % counts)


def _contents(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Unreadable(_("%(file)s is larger than 64 MB.") % {"file": path})
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        text = _("%(file)s is not UTF-8 text. Save it as “CSV UTF-8” and import it again.")
        raise Unreadable(text % {"file": path}) from None
    except OSError as error:
        reason = {"file": path, "reason": error.strerror}
        raise Unreadable(_("%(file)s cannot be read: %(reason)s.") % reason) from None


def _header(path: Path, reader: Iterator[list[str]], required: Sequence[str]) -> list[str]:
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error:
        header = [""]
    if not any(header):
        raise Unreadable(_("%(file)s is empty.") % {"file": path})
    missing = [name for name in required if name not in header]
    if missing:
        text = _("%(file)s is not a product file: its first line has no column %(missing)s.")
        raise Unreadable(text % {"file": path, "missing": ", ".join(f"“{name}”" for name in missing)})
    return header
