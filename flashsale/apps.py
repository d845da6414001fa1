"""The sale: the gate, the stock functions, reservations and their end."""

from django.apps import AppConfig


class FlashsaleConfig(AppConfig):
    name = "flashsale"
    verbose_name = "Flash sales"

    def ready(self) -> None:
        """Tell the shop who holds the units of a sale's orders, and who wants to hear of the blocked."""
        # Models cannot be imported before the apps are ready.
        from accounts import standing
        from flashsale import blocked, vitals
        from flashsale.metrics import collect
        from flashsale.reservations import SaleHold
        from shop import metrics
        from shop.orders import holds
        from shop.orders.models import Order

        holds.register(Order.Hold.SALE, SaleHold())
        standing.on_change(blocked.push)
        metrics.add_collector(name="flashsale", collect=collect)
        metrics.add_collector(name="vitals", collect=vitals.collect)
