"""`manage.py restore DIR --overwrite`: both stores as they were, each sale under a new epoch."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis.exceptions import RedisError

from flashsale import backups
from shop.up.messages import Trouble


class Command(BaseCommand):
    """Exits with 1 and a sentence if it could not be put back."""

    help = "Replace PostgreSQL and the memory of its sales by a backup. Stop web, gates and workers first."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where from, and that it is meant."""
        parser.add_argument("folder", type=Path, help="a folder that `manage.py backup` has written")
        parser.add_argument("--overwrite", action="store_true", help="yes, replace what is there now")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Put it back, saying each step, and compare both stores."""
        if not options["overwrite"]:
            raise CommandError("This replaces everything that is in the database now: add --overwrite.")
        try:
            reports = backups.put_back(options["folder"].resolve(), say=self.stdout.write)
        except Trouble as trouble:
            raise CommandError(str(trouble)) from trouble
        except RedisError as error:
            raise CommandError(f"The sale store does not answer ({error}). Is it running?") from error
        for report in reports:
            verdict = "adds up in both stores" if report.is_clean else "DIFFERS: see manage.py reconcile"
            self.stdout.write(f"sale {report.sale}: {verdict}")
        self.stdout.write("Start web, gates and workers again.")
