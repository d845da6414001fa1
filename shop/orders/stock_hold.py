"""Ordinary stock as the holder of an order's units: they left it when the order was placed."""

from shop.catalogue import stock
from shop.orders.models import Order


class StockHold:
    """What payment and deadline mean for units that the order has already taken."""

    def pay(self, *, order: Order) -> bool:
        """Nothing is left to do: an order that still awaits its payment has its units."""
        return order.status == Order.Status.AWAITING_PAYMENT

    def release(self, *, order: Order) -> None:
        """Put the units back: the caller has just moved the order out of "awaiting payment", once."""
        quantities: dict[int, int] = {}
        for line in order.lines.all():
            if line.variant_id is not None:
                quantities[line.variant_id] = quantities.get(line.variant_id, 0) + line.quantity
        stock.give_back(quantities)

    def ids(self, *, order: Order) -> dict[str, object]:
        """The log knows an ordinary order by its number alone."""
        return {"order": order.number}
