"""`manage.py sale_report SALE [--out FOLDER]`: what came of a sale, in sentences, as CSV and as pictures."""

import csv
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from flashsale.cockpit import charts
from flashsale.models import Sale
from flashsale.report import gathering, telling


class Command(BaseCommand):
    """Prints the report; with --out also figures.csv and one SVG for each picture."""

    help = "Report on a sale: the funnel, standby, money, and whether it was fair."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which sale, and where to."""
        parser.add_argument("sale", type=int, help="number of the sale")
        parser.add_argument("--out", type=Path, help="folder for figures.csv and the pictures")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Gather and tell."""
        sale = Sale.objects.exclude(state=Sale.State.DRAFT).filter(pk=options["sale"]).first()
        if sale is None:
            raise CommandError(f"No sale with the number {options['sale']} was ever scheduled.")
        report = gathering.gather(sale)
        self.stdout.write(f"{sale.title}\n")
        for name, words in telling.facts(report):
            self.stdout.write(f"{name}: {words}")
        for row in telling.funnel(report):
            self.stdout.write("  ".join((f"{row[0]:36}", f"{row[1]:>10}", f"{row[2]:>14}", f"{row[3]:>14}")))
        for sentence in telling.sums(report):
            self.stdout.write(sentence)
        for is_fine, sentence in telling.judgements(report):
            self.stdout.write(f"[{'ok' if is_fine else 'look'}] {sentence}")
        if options["out"]:
            self._write(report, options["out"])

    def _write(self, report: gathering.Report, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "figures.csv").open("w", newline="") as file:
                csv.writer(file).writerows(telling.csv_rows(report))
            for chart in telling.drawn(report):
                (folder / f"{chart.name}.svg").write_text(charts.standalone(chart))
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
