"""manage.py import_products FILE.csv"""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, OperationalError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shop.catalogue import importing
from shop.catalogue.errors import BadRows, Unreadable


class Command(BaseCommand):
    """Import products; bad rows are listed line by line, exit code 1, and then nothing is changed."""

    help = "Import products from a CSV file in Shopify's format; a second import updates them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV file, UTF-8")
        parser.add_argument("--dry-run", action="store_true", help="check the file, write nothing")
        parser.add_argument(
            "--keep-stock", action="store_true", help="leave the stock of variants that we have already"
        )

    def handle(self, *_args: Any, file: Path, dry_run: bool, keep_stock: bool, **_options: Any) -> None:
        try:
            summary = importing.read_file(path=file, dry_run=dry_run, keep_stock=keep_stock)
        except Unreadable as error:
            raise CommandError(str(error)) from None
        except BadRows as error:
            self._list(error)
            raise CommandError(
                _("Nothing was imported. Mend these rows and import the file again.")
            ) from None
        except (IntegrityError, OperationalError) as error:
            raise CommandError(_interrupted(error)) from error
        self.stdout.write(_told(summary, dry_run=dry_run))

    def _list(self, error: BadRows) -> None:
        for problem in error.problems:
            self.stderr.write(
                _("Line %(line)d: %(text)s") % {"line": problem.line, "text": problem.text}, self.style.NOTICE
            )


def _interrupted(error: Exception) -> str:
    reason = {"reason": str(error).partition("\n")[0]}
    return _("Nothing was imported; try again in a moment. The database said: %(reason)s") % reason


def _told(summary: importing.Summary, *, dry_run: bool) -> str:
    text = ngettext(
        "%(products)d product (%(new)d new), %(variants)d variants, %(categories)d categories.",
        "%(products)d products (%(new)d new), %(variants)d variants, %(categories)d categories.",
        summary.products,
    ) % {
        "products": summary.products,
        "new": summary.new_products,
        "variants": summary.variants,
        "categories": summary.categories,
    }
    return (_("Dry run, nothing was written: %s") if dry_run else _("Imported %s")) % text
