"""`manage.py capacity SALE --crowd N [--json | --kubernetes]`: processes per role, and when they start."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from flashsale import capacity
from flashsale.models import Sale

FIGURES = settings.BASE_DIR / "bench/results/latest.json"


class Command(BaseCommand):
    """Prints a table, JSON, or Kubernetes CronJobs."""

    help = (
        "Work out how many processes of each role a sale needs, and the schedule that starts them."
        " A rehearsal of the sale tells how often its shoppers press, and which role is slower here than"
        " in the benchmark."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which sale, how many people, and from which figures."""
        parser.add_argument("sale", type=int, help="number of the sale")
        parser.add_argument("--crowd", type=int, required=True, help="people expected at the opening")
        parser.add_argument("--pressing", type=float, default=10.0, help="seconds in which they press")
        parser.add_argument("--entering", type=float, default=1800.0, help="seconds in which they enter")
        parser.add_argument("--figures", type=Path, default=FIGURES, help="JSON of the benchmark")
        parser.add_argument("--image", default="flashsale-shop", help="image of the warm-up job")
        parser.add_argument("--json", action="store_true", help="as JSON")
        parser.add_argument("--kubernetes", action="store_true", help="the schedule as CronJobs, in JSON")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the plan."""
        sale = Sale.objects.filter(pk=options["sale"]).first()
        if sale is None:
            raise CommandError(f"There is no sale with the number {options['sale']}.")
        if options["crowd"] < 1 or options["pressing"] <= 0 or options["entering"] <= 0:
            raise CommandError("Crowd, pressing and entering must be above 0.")
        units = sum(sale.items.values_list("quantity", flat=True))
        demand = capacity.Demand(
            options["crowd"], units, entering=options["entering"], pressing=options["pressing"]
        )
        try:
            costs = capacity.Costs.of(capacity.read_figures(options["figures"]))
        except capacity.NoFigures as error:
            raise CommandError(str(error)) from error
        costs, demand = capacity.rehearsed(sale, costs, demand)
        plan = capacity.plan(sale=sale, demand=demand, costs=costs)
        if options["kubernetes"]:
            self.stdout.write(json.dumps(capacity.cron_jobs(plan, image=options["image"]), indent=2))
        elif options["json"]:
            self.stdout.write(json.dumps(plan, indent=2))
        else:
            self._tell(plan)

    def _tell(self, plan: dict[str, Any]) -> None:
        for role, count in plan["processes"].items():
            self.stdout.write(f"{role:8} {count:6}")
        self.stdout.write(f"for {plan['presses']} presses of each of {plan['crowd']} shoppers")
        for step in plan["schedule"]:
            self.stdout.write(f"{step['at']}  {step['do']}")
