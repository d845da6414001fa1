"""`manage.py backup DIR`: both stores, so that they fit together; the shop goes on meanwhile."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis.exceptions import RedisError

from flashsale import backups
from shop.up import messages
from shop.up.messages import Trouble


class Command(BaseCommand):
    """Exits with 1 and a sentence if the backup is not complete."""

    help = "Write PostgreSQL and the memory of all scheduled sales into an empty folder. The shop goes on."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("folder", type=Path, help="a folder that is empty or does not exist")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Write it, saying each step."""
        folder: Path = options["folder"]
        try:
            backups.save(folder.resolve(), say=self.stdout.write)
        except Trouble as trouble:
            raise CommandError(str(trouble)) from trouble
        except OSError as error:
            raise CommandError(str(messages.from_os_error(error, folder))) from error
        except RedisError as error:
            raise CommandError(f"The sale store does not answer ({error}). Is it running?") from error
        self.stdout.write(f"The backup is in {folder}.")
