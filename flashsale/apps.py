"""The sale: the gate, the stock functions, reservations and their end."""

from django.apps import AppConfig


class FlashsaleConfig(AppConfig):
    name = "flashsale"
    verbose_name = "Flash sales"

    def ready(self) -> None:
        """Tell the shop who holds the units of orders that come from a sale."""
        # Models cannot be imported before the apps are ready.
        from flashsale.metrics import collect
        from flashsale.reservations import SaleHold
        from shop import metrics
        from shop.orders import holds
        from shop.orders.models import Order

        holds.register(Order.Hold.SALE, SaleHold())
        metrics.add_collector(name="flashsale", collect=collect)
