"""Where an order goes, and that it went."""

from collections.abc import Mapping

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from shop.catalogue.models import Product
from shop.orders import letters
from shop.orders.errors import NotPayable, NotShippable
from shop.orders.models import Order, OutboxMail

ADDRESS = ("full_name", "country", "line1", "line2", "postcode", "city")


def is_shipped(order: Order) -> bool:
    """Whether something of the order is sent to an address; a slot or what is collected is not."""
    return order.lines.filter(variant__product__kind=Product.Kind.SHIPPED).exists()


def lacks_address(order: Order) -> bool:
    """Whether the order must be given an address before it is paid."""
    return not order.line1 and is_shipped(order)


def address(*, order: Order, fields: Mapping[str, object]) -> None:
    """Set where the order goes, as long as it awaits its payment; raises NotPayable after that."""
    wanted = {name: str(fields.get(name) or "") for name in ADDRESS}
    waiting = Order.objects.filter(pk=order.pk, status=Order.Status.AWAITING_PAYMENT)
    if not waiting.update(**wanted):
        raise NotPayable(_("This order does not await its payment any more, so its address stays as it is."))


def ship(*, order: Order) -> None:
    """Mark a paid order as shipped and tell the shopper; raises NotShippable for any other."""
    with transaction.atomic(durable=True):
        locked = Order.objects.select_for_update(of=("self",), no_key=True).get(pk=order.pk)
        if locked.status != Order.Status.PAID:
            raise NotShippable(
                _("Order %(number)s is “%(status)s”: only a paid order can be shipped.")
                % {"number": locked.number, "status": locked.get_status_display()}
            )
        Order.objects.filter(pk=locked.pk).update(status=Order.Status.SHIPPED, shipped_at=Now())
        letters.put(order=locked, kind=OutboxMail.Kind.SHIPPED)
