"""From the cart to the paid order."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "shop.orders"

    def ready(self) -> None:
        """Name ordinary stock as the holder of ordinary orders' units."""
        from shop.orders import holds
        from shop.orders.models import Order
        from shop.orders.stock_hold import StockHold

        holds.register(Order.Hold.STOCK, StockHold())
