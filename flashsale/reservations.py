"""Record, pay, expire, cancel, promote: owns every transaction of a reservation."""

from shop.orders.models import Order


class SaleHold:
    """How the shop's payment and deadline reach the units that a sale holds."""

    def pay(self, *, order: Order) -> bool:
        """The money has come."""
        return False

    def release(self, *, order: Order) -> None:
        """The order is cancelled or expired."""
