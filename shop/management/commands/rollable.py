"""`manage.py rollable`: whether what `migrate` would do is safe while the release before still runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop import rolling


class Command(BaseCommand):
    """Exits with 1 where it is not; `--pause` says that the shop is stopped meanwhile."""

    help = "Refuse pending migrations that are not safe while the old code runs."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whether anything runs."""
        parser.add_argument("--pause", action="store_true", help="the shop is stopped: say it and go on")

    def handle(self, *_args: Any, **options: Any) -> None:
        """List what is pending, and what is wrong with it."""
        pending = rolling.pending()
        found = [f"{migration}: {fault}" for migration in pending for fault in rolling.faults(migration)]
        for line in found:
            self.stderr.write(line)
        if found and not options["pause"]:
            raise CommandError("Stop the shop for these migrations, or split them over two releases.")
        self.stdout.write(f"{len(pending)} pending migrations")
