"""`manage.py issue_passes SALE --count N --out FILE`: passes of a crowd, for load tests."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from flashsale import crowd
from flashsale.models import Sale


class Command(BaseCommand):
    """Writes one pass a line."""

    help = "Make N shoppers of a crowd and write a pass for each, one a line."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which sale, how many, where to."""
        parser.add_argument("sale", type=int, help="number of the sale")
        parser.add_argument("--count", type=int, required=True, help="how many shoppers")
        parser.add_argument("--out", type=Path, required=True, help="file to write")
        parser.add_argument(
            "--yes-really", action="store_true", help="outside development: these passes let strangers in"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Refuse in production unless told twice."""
        if not settings.DEBUG and not options["yes_really"]:
            raise CommandError(
                "Passes skip login, eligibility and captcha. Outside development add --yes-really."
            )
        if options["count"] < 1:
            raise CommandError("--count is at least 1.")
        sale = Sale.objects.filter(pk=options["sale"]).first()
        if sale is None:
            raise CommandError(f"There is no sale with the number {options['sale']}.")
        users = crowd.make_shoppers(options["count"])
        try:
            with options["out"].open("w") as out:
                out.writelines(f"{token}\n" for token in crowd.issue_passes(sale, users))
        except OSError as error:
            raise CommandError(f"{options['out']} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{len(users)} passes for sale {sale.pk} in {options['out']}")
