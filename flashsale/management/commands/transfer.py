"""`manage.py transfer ITEM UNITS REGION`, `--back ID`, `--fetch REGION`: move units between regions."""

from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis.exceptions import RedisError

from flashsale import transfers, unit_client
from flashsale.errors import SchedulingError
from flashsale.models import SaleItem, Transfer
from flashsale.unit_client import UnitAway


class Command(BaseCommand):
    """Without arguments: go on with all transfers that are not over, and list them."""

    help = "Move free units of a sale item to another region, or go on with moves that were cut."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to move, and whither."""
        parser.add_argument("item", nargs="?", type=int, help="number of the sale item")
        parser.add_argument("units", nargs="?", type=int, help="how many")
        parser.add_argument("region", nargs="?", help="to which region")
        parser.add_argument("--back", type=UUID, metavar="ID", help="take a transfer back")
        parser.add_argument("--fetch", metavar="REGION", help="accept what a region has on its way to us")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do one step and tell how things stand."""
        try:
            self._do(options)
        except (SchedulingError, UnitAway, RedisError) as error:
            raise CommandError(
                f"{error} Nothing is lost: the move goes on when it is asked again."
            ) from error
        for row in Transfer.objects.filter(state__in=["leaving", "sent"]):
            self.stdout.write(f"{row.pk}: {row.units} of item {row.item_id} to {row.region}, {row.state}")

    def _do(self, options: dict[str, Any]) -> None:
        if options["fetch"]:
            self._fetch(options["fetch"])
        elif options["back"]:
            transfer = Transfer.objects.filter(pk=options["back"]).first()
            if transfer is None:
                raise CommandError(f"There is no transfer {options['back']} here.")
            self.stdout.write(transfers.take_back(transfer=transfer))
        elif options["item"]:
            self._send(options)
        else:
            transfers.go_on_with_all()

    def _fetch(self, region: str) -> None:
        if region not in unit_client.regions():
            raise CommandError(
                f"There is no region “{region}”: UNITS names {', '.join(unit_client.regions())}."
            )
        self.stdout.write(f"{transfers.fetch(region=region)} transfers of {region} were looked at.")

    def _send(self, options: dict[str, Any]) -> None:
        item = SaleItem.objects.select_related("sale", "variant").filter(pk=options["item"]).first()
        if item is None or not options["units"] or not options["region"]:
            raise CommandError("Give the number of a sale item, how many units, and a region.")
        transfer = transfers.send(item=item, units=options["units"], region=options["region"])
        self.stdout.write(f"{transfer.pk}: {transfers.go_on(transfer=transfer)}")
