"""`manage.py line SALE [--csv]`: the line of a sale, and whether its order is what the key says."""

import csv
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from redis.exceptions import RedisError

from flashsale import line, queue, stock
from flashsale.line import Place
from flashsale.models import Sale


class Command(BaseCommand):
    """Exits with 1 at the first ticket that does not stand where arrival and key put it."""

    help = "Print the line of a sale and verify its order from the key. Exits with 1 if it is another one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which sale, and for whom it is printed."""
        parser.add_argument("sale", type=int, help="number of the sale")
        parser.add_argument("--csv", action="store_true", help="as CSV; the verdict goes to standard error")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print every ticket and the verdict."""
        sale = Sale.objects.filter(pk=options["sale"]).first()
        if sale is None:
            raise CommandError(f"There is no sale with the number {options['sale']}.")
        try:
            faults = self._print_line(sale, as_csv=options["csv"])
        except RedisError as error:
            raise CommandError(f"The sale store does not answer ({error}). Is it running?") from error
        out = self.stderr if options["csv"] else self.stdout
        out.write(f"SHA-256 of the key: {queue.fingerprint(sale.line_key)}", lambda text: text)
        if sale.phase == "ended":
            out.write(f"key: {sale.line_key}", lambda text: text)
        if faults:
            raise CommandError(faults[0])
        out.write("The order is what the key says.", lambda text: text)

    def _print_line(self, sale: Sale, *, as_csv: bool) -> list[str]:
        """Print every ticket; return what is wrong, the key first."""
        status = stock.run(stock.status(sale.pk, []))
        if status is None:
            raise CommandError("The store does not know this sale, so there is no line to look at.")
        faults = []
        if status.queue is not None and status.queue.key != sale.line_key:
            faults.append("The store draws lots with another key than the one in PostgreSQL.")
        write = csv.writer(self.stdout).writerow if as_csv else self._write_columns
        write(("number", "user", "when", "lot", "score"))
        for place in line.read(sale.pk):
            lot = "" if place.lot is None else f"{place.lot:08x}"
            write((place.number, place.user, _when(sale, place), lot, place.score))
            if not faults and (fault := line.fault(sale, place)):
                faults.append(fault)
        return faults

    def _write_columns(self, cells: tuple[object, ...]) -> None:
        number, user, when, lot, score = cells
        self.stdout.write(f"{number:>9} {user:>12}  {when:<32} {lot:<8} {score:>20}")


def _when(sale: Sale, place: Place) -> str:
    if place.band is None:
        return "in order of arrival"
    began = line.band_began(sale, place.band)
    if began is None:
        return "before the opening"
    return f"band {place.band} from {timezone.localtime(began):%H:%M:%S.%f}"[:-3]
