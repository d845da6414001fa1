"""Who holds the units of an order until it is paid.

Ordinary orders hold them in the catalogue's stock; orders of a flash sale hold them in the sale. The
shop knows only this protocol: a sale registers itself, so that `shop` never imports `flashsale`.
"""

from typing import Protocol

from shop.orders.models import Order


class Hold(Protocol):
    """What the payment and the deadline of an order must tell whoever holds its units.

    Every method is called inside a transaction in which the order's row is locked.
    """

    def pay(self, *, order: Order) -> bool:
        """The money has come: the units are the order's for good. False if they are gone already."""

    def release(self, *, order: Order) -> None:
        """The order is cancelled or expired (see its status): its units are free again."""

    def ids(self, *, order: Order) -> dict[str, object]:
        """What the log knows the order by: fields of `shop.logs.IDS`. For this one no lock is needed."""


_holds: dict[str, Hold] = {}


def register(kind: str, hold: Hold) -> None:
    """Name who holds the units of orders whose `hold` is `kind`; called once by each app's `ready`."""
    _holds[kind] = hold


def of(order: Order) -> Hold:
    """Return who holds the units of `order`."""
    return _holds[order.hold]
