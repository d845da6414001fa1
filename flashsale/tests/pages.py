"""How the tests of the pages visit them."""

import html
import re
from typing import Any

from captcha.models import CaptchaStore
from django.core.cache import cache
from django.test import Client

from accounts import devices
from accounts.models import User
from flashsale.models import Reservation, Sale, SaleItem
from flashsale.tests.staged import Staged
from shop.orders import payment as payments
from shop.orders.models import Payment


def logged_in(user: User) -> Client:
    """Return a browser in which `user` is logged in; nobody's tries are counted yet."""
    cache.clear()
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    client.cookies[devices.COOKIE] = devices.signed(f"of {user.pk}", [])  # a login gives every browser one
    return client


def browser_of(staged: Staged) -> Client:
    """Return a browser as its shopper has it: logged in, and with a pass where he has one."""
    client = logged_in(staged.user) if staged.user else Client()
    if staged.entered:
        enter(client, staged.entered)
    return client


def address(item: SaleItem, *more: str) -> str:
    """Return the address of the item's sale, or of a page below it."""
    return "/".join(["/sales", item.sale.slug, *more]) + "/"


def enter(client: Client, item: SaleItem, **answers: str) -> Any:
    """Send the entry form."""
    return client.post(address(item, "enter"), answers)


def right_letters(client: Client, item: SaleItem) -> dict[str, str]:
    """Look at the entry page; return what somebody who reads its picture sends."""
    page = client.get(address(item, "enter")).content.decode()
    key = page.split('name="captcha_key" value="')[1].split('"')[0]
    return {"captcha_key": key, "captcha": CaptchaStore.objects.get(hashkey=key[:40]).response}


def press(client: Client, item: SaleItem) -> Any:
    """Press the button of an item without script."""
    return client.post(address(item, "items", str(item.pk), "attempt"))


def words(response: Any) -> str:
    """Return what a page says: its text without markup, spaces folded."""
    body = response.content.decode()
    main = body.partition("<main")[2].partition(">")[2].partition("</main>")[0] or body.partition("<body")[2]
    plain = re.sub(r"<template.*?</template>|<[^>]+>", " ", main, flags=re.DOTALL)
    return html.unescape(re.sub(r"\s+", " ", plain)).strip()


def change(sale: Sale, **fields: Any) -> None:
    """Write fields of a sale's row."""
    Sale.objects.filter(pk=sale.pk).update(**fields)
    sale.refresh_from_db()


def payment_of(rid: str, **fields: Any) -> Payment:
    """Start to pay a reservation by card; the bank's answer is in `fields`."""
    order = Reservation.objects.select_related("order").get(rid=rid).order
    assert order is not None
    payment = payments.start(order=order, variant="dummy")
    Payment.objects.filter(pk=payment.pk).update(**fields)
    return payment
