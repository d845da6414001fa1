"""`manage.py crowd`: lets a crowd loose on a running sale and says how it ended."""

import asyncio
import re
import sys
import time
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from flashsale import crowd, draining, stream
from flashsale.models import Reservation, Sale, SaleItem

BAR = 40
MOST, LONGEST = 1_000_000, 3600
"""Shoppers, and seconds."""
SWELL = 3.0
"""So that the first units go slowly enough to be watched."""


class Command(BaseCommand):
    """Watch the sale's page in a browser meanwhile."""

    help = (
        "Let a crowd of shoppers with passes attempt over HTTP, then show how it ended, reconcile included."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which sale, how many, where."""
        parser.add_argument(
            "sale", nargs="?", type=int, help="number of the sale (default: the newest running one)"
        )
        parser.add_argument("--shoppers", type=int, default=5000, help="how many (default 5000)")
        parser.add_argument(
            "--seconds", type=float, default=10.0, help="within which they arrive, few at first (default 10)"
        )
        parser.add_argument("--gate", default=f"http://127.0.0.1:{settings.PORT}", help="address of the gate")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Storm, wait for the orders, tell."""
        self._check(options)
        item = self._item(options["sale"])
        self.stdout.write(f"{options['shoppers']} shoppers for {item.quantity} x {item.variant} …")
        users = crowd.make_shoppers(options["shoppers"])
        started = time.monotonic()
        outcomes = self._storm(item, users, options)
        if all(outcome.last == "lost" for outcome in outcomes):
            raise CommandError(f"The gate at {options['gate']} does not answer: is that the shop's address?")
        self._tell(item, crowd.count(outcomes), time.monotonic() - started)

    def _check(self, options: dict[str, Any]) -> None:
        if not settings.DEBUG:
            raise CommandError("A crowd is for development: it takes real units.")
        if not 1 <= options["shoppers"] <= MOST:
            raise CommandError(f"--shoppers is a number from 1 to {MOST}.")
        if not 0 <= options["seconds"] <= LONGEST:
            raise CommandError(f"--seconds is a number from 0 to {LONGEST}.")
        if not re.fullmatch(r"http://[^/:]+:[0-9]{1,5}", options["gate"]):
            raise CommandError("--gate is an address such as http://127.0.0.1:8000.")

    def _storm(self, item: SaleItem, users: list[int], options: dict[str, Any]) -> list[crowd.Outcome]:
        passes = dict(zip(users, crowd.issue_passes(item.sale, users), strict=True))
        return asyncio.run(
            crowd.storm(
                gate=options["gate"],
                path=f"/gate/sales/{item.sale_id}/items/{item.pk}/attempt",
                passes=passes,
                tries=1,
                seconds=options["seconds"],
                swell=SWELL,
                tell=lambda done: self._draw(done, len(passes)),
            )
        )

    def _item(self, sale_id: int | None) -> SaleItem:
        now = timezone.now()
        items = SaleItem.objects.filter(sale__state=Sale.State.SCHEDULED, sale__closes_at__gt=now)
        items = items.select_related("sale", "variant__product").order_by("-sale__pk", "pk")
        item = (
            items.filter(sale=sale_id).first() if sale_id else items.filter(sale__opens_at__lte=now).first()
        )
        if item is None and sale_id:
            raise CommandError(f"No sale with the number {sale_id} is scheduled or running.")
        if item is None:
            raise CommandError("No sale is running. Make one: manage.py demo --opens-in 0")
        return item

    def _draw(self, done: int, total: int) -> None:
        if done % max(1, total // 200) and done < total:
            return
        filled = BAR * done // total
        sys.stderr.write(
            f"\r[{'#' * filled}{'.' * (BAR - filled)}] {done}/{total}" + ("\n" if done == total else "")
        )
        sys.stderr.flush()

    def _tell(self, item: SaleItem, outcomes: dict[str, int], seconds: float) -> None:
        total = sum(outcomes.values())
        self.stdout.write(f"{total} answers in {seconds:.1f} s ({total / seconds:.0f} a second):")
        for outcome, number in sorted(outcomes.items(), key=lambda pair: -pair[1]):
            self.stdout.write(f"  {outcome:10} {number:8}")
        deadline = time.monotonic() + 30
        while (left := stream.backlog(item.sale_id)).unread + left.pending and time.monotonic() < deadline:
            time.sleep(0.2)
        draining.drain_once(sale_id=item.sale_id)
        orders = Reservation.objects.filter(item=item, order__isnull=False).count()
        self.stdout.write(f"{orders} reservations have an order.")
        call_command("reconcile", item.sale_id, stdout=self.stdout)
