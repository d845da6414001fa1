"""The mails that a sale writes, and what they know: rows of the outbox, in the caller's transaction."""

from collections.abc import Iterable, Mapping

from django.urls import reverse

from accounts.models import User
from flashsale.models import Reservation, SaleItem, StandbyEntry
from shop.orders import outbox
from shop.orders.models import OutboxMail
from shop.orders.outbox import Letter

Kind = OutboxMail.Kind
Status = Reservation.Status


def of_reservation(item: SaleItem, row: Reservation, user: User) -> Letter:
    """Return the mail that tells its shopper of a new reservation."""
    kind = {Status.DISPLACED: Kind.DISPLACED, Status.REFUSED: Kind.PASSED_OVER}.get(Status(row.status))
    kind = kind or (Kind.PROMOTED if row.promoted else Kind.RESERVED)
    return Letter(ref=row.rid, kind=kind, to=user.email, language=user.language, context=context(item, row))


def context(item: SaleItem, row: Reservation) -> dict[str, object]:
    """What a mail says of a reservation; the price is the total in minor units, times are ISO 8601."""
    return {
        "title": str(item.variant),
        "sale": item.sale.title,
        "price": item.total,
        "pay_by": row.pay_by.isoformat(),
        "path": row.get_absolute_url(),
        "code": row.refusal,
        "promoted": row.promoted,
        "ids": {"rid": row.rid, "sale": item.sale_id, "order": row.order.number if row.order else ""},
    }


def name_of_place(item: int, epoch: int, number: int) -> str:
    """Return the one name of a place on standby, in the log and in its mails: `3-1-s17`."""
    return f"{item}-{epoch}-s{number}"


def put_standby(items: Mapping[int, SaleItem], places: Iterable[StandbyEntry]) -> None:
    """Tell shoppers that they stand by."""
    _put_places(Kind.STANDBY, items, places)


def put_standby_over(
    items: Mapping[int, SaleItem], places: Iterable[StandbyEntry], *, all_paid: bool
) -> None:
    """Tell shoppers that standby is over: all units are paid, or the sale has ended."""
    _put_places(Kind.STANDBY_OVER, items, places, all_paid=all_paid)


def _put_places(
    kind: str, items: Mapping[int, SaleItem], places: Iterable[StandbyEntry], **more: object
) -> None:
    rows = list(places)
    users = User.objects.only("email", "language").in_bulk([row.user_id for row in rows])
    outbox.put_all(
        Letter(
            ref=name_of_place(row.item_id, row.epoch, row.number),
            kind=kind,
            to=users[row.user_id].email,
            language=users[row.user_id].language,
            context={
                "title": str(items[row.item_id].variant),
                "sale": items[row.item_id].sale.title,
                "number": row.number,
                "price": items[row.item_id].price,
                "path": reverse("sale-result", args=[items[row.item_id].sale.slug, row.item_id]),
                "ids": {
                    "rid": name_of_place(row.item_id, row.epoch, row.number),
                    "sale": items[row.item_id].sale_id,
                },
                **more,
            },
        )
        for row in rows
        if row.user_id in users
    )
