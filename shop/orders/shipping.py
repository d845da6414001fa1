"""Where an order goes, and that it went."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from shop.catalogue.models import Product
from shop.orders import letters
from shop.orders.errors import NotPayable, NotShippable
from shop.orders.models import Order, OutboxMail

SATURDAY = 5
ADDRESS = ("full_name", "country", "line1", "line2", "postcode", "city")


def days(after: datetime) -> tuple[date, date]:
    """Return the first and the last day on which what is paid at `after` should arrive; no weekend counts."""
    day, found, wanted = timezone.localtime(after).date(), [], settings.DELIVERY_DAYS
    count = 0
    while count < wanted[1]:
        day += timedelta(days=1)
        count += day.weekday() < SATURDAY
        found.append((count, day))
    first, last = (next(day for count, day in found if count == number) for number in wanted)
    return first, last


def when(after: datetime, *, is_paid: bool) -> str:
    """Say as dates when it should arrive: for an order paid at `after`, or if it is paid then."""
    day, first, last = timezone.localtime(after).date(), *days(after)
    if is_paid:
        sentence = _("It should arrive between %(first)s and %(last)s.")
    elif day <= timezone.localdate():
        sentence = _("Paid today, it should arrive between %(first)s and %(last)s.")
    else:
        sentence = _("Paid on %(day)s, it should arrive between %(first)s and %(last)s.")
    return sentence % {"day": _day(day), "first": _day(first), "last": _day(last)}


def when_it_comes(order: Order) -> str:
    """Say when an order of which something is sent should arrive; empty where nothing is sent any more."""
    if order.status == Order.Status.AWAITING_PAYMENT:
        return when(timezone.now(), is_paid=False)
    if order.paid_at is None or order.status not in (Order.Status.PAID, Order.Status.SHIPPED):
        return ""
    return when(order.paid_at, is_paid=True)


def _day(day: date) -> str:
    values = {"weekday": date_format(day, "l"), "date": date_format(day, "DATE_FORMAT")}
    return _("%(weekday)s, %(date)s") % values


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
