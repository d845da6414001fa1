"""`manage.py sync_catalogue URL`: pull products and the definition of sales from another region."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from flashsale import syncing
from flashsale.sync_source import Source, SyncError
from flashsale.syncing import Pulled


class Command(BaseCommand):
    """Run it again whenever you like: only what has changed is sent."""

    help = "Pull products and sales from another region's shop; stock and quantities stay as they are here."

    def add_arguments(self, parser: CommandParser) -> None:
        """From where."""
        parser.add_argument("url", help="address of the other shop, such as https://eu.example.com")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Pull, and tell what was left out."""
        try:
            source = Source(options["url"])
            found = syncing.products(source, self.stdout.write)
            self._tell("products", found)
            self._tell("sales", syncing.sales(source))
        except SyncError as error:
            raise CommandError(f"{error} Start it again: it goes on where it was.") from error

    def _tell(self, what: str, found: Pulled) -> None:
        self.stdout.write(f"{found.seen} {what}, {found.changed} changed")
        for line in found.left_out:
            self.stderr.write(line)
