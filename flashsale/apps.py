"""The sale: the gate, the stock functions, reservations and their end."""

from django.apps import AppConfig


class FlashsaleConfig(AppConfig):
    name = "flashsale"
    verbose_name = "Flash sales"

    def ready(self) -> None:
        """Tell the shop who holds the units of orders that come from a sale."""
        # Models cannot be imported before the apps are ready.
        from flashsale.reservations import SaleHold  # noqa: PLC0415
        from shop.orders import holds  # noqa: PLC0415
        from shop.orders.models import Order  # noqa: PLC0415

        holds.register(Order.Hold.SALE, SaleHold())
