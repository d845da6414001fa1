"""`manage.py reconcile [SALE] [--repair | --rebuild]`: both stores' figures, and whether they agree."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis.exceptions import RedisError

from flashsale import draining, receipts, reconcile
from flashsale.models import Sale
from flashsale.reconcile import Figures, Report


class Command(BaseCommand):
    """Exits with 1 if the stores differ."""

    help = "Compare PostgreSQL and the sale store, unit by unit. Exits with 1 on a difference."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which sale, and what to do about differences."""
        parser.add_argument(
            "sale", nargs="?", type=int, help="number of the sale; all scheduled ones without it"
        )
        parser.add_argument("--repair", action="store_true", help="record and tell what is on its way first")
        parser.add_argument(
            "--rebuild",
            action="store_true",
            help="build the store anew from PostgreSQL, under the next epoch",
        )
        parser.add_argument(
            "--receipts",
            type=int,
            metavar="SECONDS",
            help=f"before that, take the receipts of shoppers for so long (default {receipts.WINDOW} "
            "where the store has lost the sale, else 0): later ones may come too late for a unit",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print a table a sale; exit with 1 if any is not clean."""
        sales = Sale.objects.exclude(state=Sale.State.DRAFT).order_by("pk")
        if options["sale"] is not None:
            sales = sales.filter(pk=options["sale"])
            if not sales.exists():
                raise CommandError(f"There is no scheduled sale with the number {options['sale']}.")
        try:
            reports = [self._reconcile(sale.pk, options) for sale in sales]
        except RedisError as error:
            raise CommandError(f"The sale store does not answer ({error}). Is it running?") from error
        if not all(report.is_clean for report in reports):
            raise CommandError("The stores differ. Try --repair; see docs/operations.md for the rest.")

    def _reconcile(self, sale_id: int, options: dict[str, Any]) -> Report:
        if options["rebuild"]:
            self._take_receipts(sale_id, options["receipts"])
            report = reconcile.rebuild(sale_id=sale_id)
        elif options["repair"]:
            draining.drain_once(sale_id=sale_id)
            report = reconcile.repair(sale_id=sale_id)
        else:
            report = reconcile.compare(sale_id=sale_id)
        self._print(report)
        return report

    def _take_receipts(self, sale_id: int, seconds: int | None) -> None:
        """Let the pages of those whose unit the store has lost show their receipts while nothing is sold."""
        if seconds is None:
            seconds = receipts.WINDOW if reconcile.is_lost(sale_id=sale_id) else 0
        taken = receipts.count_honoured(sale_id=sale_id)
        for left in range(seconds, 0, -1):
            found = receipts.count_honoured(sale_id=sale_id) - taken
            words = f"sale {sale_id}: receipts are taken for {left} s more; {found} reservations so far"
            self.stdout.write(f"\r{words} ", ending="")
            self.stdout.flush()
            time.sleep(1)
        if seconds:
            self.stdout.write("")

    def _print(self, report: Report) -> None:
        verdict = "adds up in both stores" if report.is_clean else "DIFFERS"
        self.stdout.write(f"sale {report.sale}: {verdict}")
        self.stdout.write(
            f"  stream: {report.backlog.unread} unread, {report.backlog.pending} pending, "
            f"oldest {report.backlog.oldest_ms} ms; {report.untold} ends untold; {report.parked} parked"
        )
        for item in report.items:
            self.stdout.write(f"  item {item.item}")
            self.stdout.write(f"    PostgreSQL {_words(item.rows)}")
            self.stdout.write(
                f"    store      {_words(item.store) if item.store else 'does not know this item'}"
            )
            for name, rids in (
                ("only in the store", item.only_store),
                ("only in PostgreSQL", item.only_rows),
            ):
                if rids:
                    self.stdout.write(f"    {name}: {len(rids)}, such as {', '.join(sorted(rids)[:3])}")


def _words(units: Figures) -> str:
    total = f"{units.quantity} = free {units.free} + held {units.held} + paid {units.paid}"
    total += f" + returned {units.returned}"
    return total if units.adds_up else f"{total}  (does not add up)"
