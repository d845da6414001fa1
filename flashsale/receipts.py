"""Receipts: what a shopper was told, signed, for the day on which the sale's memory has lost it.

Between the answer "reserved" and its row lie milliseconds. Should the store lose its disk within them, only
the shopper still knows of the unit. His receipt is then as good as the entry of the stream that was lost.
"""

from datetime import timedelta

from django.conf import settings
from django.http import HttpResponse
from django.urls import reverse

from flashsale import recording
from flashsale.models import Reservation, SaleItem
from flashsale.passes import PassError, signer_of
from flashsale.stream import Entry

KEPT = timedelta(days=1)
WINDOW = 120
"""For so many seconds receipts are taken before a lost sale is built anew: pages ask every few seconds."""


def honour(*, user_id: int, rid: str, token: str) -> bool:
    """Record the reservation of a receipt that the store does not know any more; False for none of his.

    Until the store is rebuilt it becomes an order if there is room, as any entry of the stream does. After
    that its unit may be another's: it is displaced, and its shopper is told.
    """
    try:
        receipt = signer_of(tuple(settings.PASS_KEYS)).verify_receipt(token.encode())
    except PassError:
        return False
    item = SaleItem.objects.filter(pk=_item(rid), sale_id=receipt.sale).select_related("sale").first()
    if (receipt.rid, receipt.user) != (rid, user_id) or item is None:
        return False
    at = receipt.pay_by - item.sale.pay_within * 1000
    entry = Entry("", "reserved", user_id, rid, at, receipt.pay_by)
    recording.record(sale_id=item.sale_id, entries=[entry], blames_store=False)
    return Reservation.objects.filter(rid=rid, user=user_id).exists()


def keep(*, response: HttpResponse, sale_id: int, user_id: int, rid: str, pay_by: int) -> None:
    """Give the browser its receipt, for the page of this reservation only; `pay_by` in ms."""
    receipt = signer_of(tuple(settings.PASS_KEYS)).receipt(sale=sale_id, rid=rid, user=user_id, pay_by=pay_by)
    response.set_cookie(
        settings.RECEIPT_COOKIE,
        receipt,
        max_age=KEPT,
        path=reverse("reservation", args=[rid]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def count_honoured(*, sale_id: int) -> int:
    """How many reservations of a sale have rows: while its store is lost, only receipts bring new ones."""
    return Reservation.objects.filter(item__sale=sale_id).count()


def _item(rid: str) -> int:
    number, _, _ = rid.partition("-")
    return int(number) if number.isdecimal() else 0
