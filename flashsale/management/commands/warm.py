"""`manage.py warm SALE`: bring a scheduled sale into the store before it opens, and ask each part once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis.exceptions import RedisError

from flashsale import scheduling, stock
from flashsale.models import Sale


class Command(BaseCommand):
    """Exits with 1 where the sale is not ready."""

    help = "Load a scheduled sale into the store and check that it is ready. Exits with 1 if it is not."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which sale."""
        parser.add_argument("sale", type=int, help="number of the sale")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Warm it, then look at it as the gate does."""
        sale = Sale.objects.filter(pk=options["sale"]).first()
        if sale is None:
            raise CommandError(f"There is no sale with the number {options['sale']}.")
        try:
            done = scheduling.warm(sale_id=sale.pk)
            status = stock.run(stock.status(sale.pk, list(sale.items.values_list("pk", flat=True))))
        except RedisError as error:
            raise CommandError(f"The sale store does not answer ({error}). Is it running?") from error
        if status is None:
            raise CommandError(f"The sale is not in the store ({done}): schedule it, or rebuild it.")
        units = sum(item.free for item in status.items.values())
        self.stdout.write(f"sale={sale.pk} {done} state={status.phase} free={units}")
