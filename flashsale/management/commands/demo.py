"""`manage.py demo`: a fresh sale to look at."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import F
from django.utils import timezone

from flashsale import scheduling
from flashsale.errors import SaleError
from flashsale.models import Sale, SaleItem
from shop.catalogue.models import Product, Variant

YEAR = 366 * 86_400
BOUNDS = {
    "opens_in": (0, YEAR),
    "open_for": (1, YEAR),
    "quantity": (1, 1_000_000),
    "standby": (0, 1_000_000),
    "pay_within": (5, 86_400),
    "rate": (1, 1_000_000),
    "price": (0, 100_000_000),
    "tie_band": (0, 1000),
}
"""The least and the most of each number: seconds, units, minor units of money, shoppers a second, ms."""


class Command(BaseCommand):
    """Prints `sale=<id> item=<id>` as its last line."""

    help = "Make a fresh demo sale of one product; its units are added to ordinary stock first."

    def add_arguments(self, parser: CommandParser) -> None:
        """When, how many, for how long."""
        parser.add_argument("--opens-in", type=int, default=30, help="seconds from now (default 30)")
        parser.add_argument("--open-for", type=int, default=86_400, help="seconds it is open (default a day)")
        parser.add_argument("--quantity", type=int, default=100, help="units (default 100)")
        parser.add_argument("--standby", type=int, default=50, help="standby places (default 50)")
        parser.add_argument("--pay-within", type=int, default=600, help="seconds to pay (default 600)")
        parser.add_argument("--rate", type=int, help="shoppers served a second (default: all at once)")
        parser.add_argument("--price", type=int, help="in minor units (default: 40 %% off)")
        parser.add_argument("--tie-band", type=int, default=0, help="ms; needs a rate (default 0: no lots)")
        parser.add_argument("--if-none", action="store_true", help="do nothing if a sale runs or is to come")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make and schedule it."""
        for name, (least, most) in BOUNDS.items():
            if options[name] is not None and not least <= options[name] <= most:
                raise CommandError(f"--{name.replace('_', '-')} is a number from {least} to {most}.")
        if options["tie_band"] and not options["rate"]:
            raise CommandError("--tie-band orders a line, and without --rate there is none.")
        now = timezone.now()
        if options["if_none"]:
            item = SaleItem.objects.filter(sale__state=Sale.State.SCHEDULED, sale__closes_at__gt=now).first()
            if item is not None:
                self._say(item)
                return
        try:
            self._say(self._make(options))
        except SaleError as error:
            raise CommandError(str(error)) from error

    def _make(self, options: dict[str, Any]) -> SaleItem:
        variant = self._variant()
        opens_at = timezone.now() + timedelta(seconds=options["opens_in"])
        number = Sale.objects.count() + 1
        sale = Sale.objects.create(
            slug=f"demo-{number}",
            title=f"{variant.product.title}: sale no. {number}",
            description="A few units at a good price. Press once: you are told at once whether one is yours.",
            opens_at=opens_at,
            closes_at=opens_at + timedelta(seconds=options["open_for"]),
            pay_within=options["pay_within"],
            standby_size=options["standby"],
            rate=options["rate"],
            tie_band=options["tie_band"],
        )
        price = options["price"] if options["price"] is not None else variant.price * 6 // 10
        item = SaleItem.objects.create(sale=sale, variant=variant, price=price, quantity=options["quantity"])
        Variant.objects.filter(pk=variant.pk).update(stock=F("stock") + options["quantity"])
        scheduling.schedule(sale=sale)
        return item

    def _variant(self) -> Variant:
        busy = SaleItem.objects.filter(sale__state=Sale.State.SCHEDULED).values("variant")
        shipped = Variant.objects.filter(
            product__kind=Product.Kind.SHIPPED, product__published=True, price__gt=0
        )
        free = shipped.exclude(pk__in=busy).select_related("product").order_by("product__pk", "position")
        variant = free.exclude(product__variants__in=busy).first() or free.first()
        if variant is None:
            raise CommandError("Every product is in a sale, or there is none: run seed_demo or close a sale.")
        return variant

    def _say(self, item: SaleItem) -> None:
        self.stdout.write(
            f"{item.quantity} x {item.variant} in “{item.sale.title}”, open from {item.sale.opens_at:%c}"
        )
        self.stdout.write(f"sale={item.sale_id} item={item.pk}")
