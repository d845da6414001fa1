"""From the cart to the paid order."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "shop.orders"
