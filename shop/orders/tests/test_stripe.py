"""Stripe: its signed webhook, its page, its refunds. Its API is played by an HTTP server in this process."""

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.test import Client
from django.utils import timezone
from payments import core

from shop.catalogue.models import Variant
from shop.orders import payment, polling, refunds
from shop.orders.models import Order, OutboxMail, Payment, ProviderEvent
from shop.orders.tests.conftest import check_out, make_order, put_into_cart

SECRET = "whsec_of_the_tests"
PATH = "/payments/stripe/"


class Stripe(BaseHTTPRequestHandler):
    """Answers as Stripe's API does to the three calls that we make, and remembers them."""

    calls: list[tuple[str, dict[str, str], str]]
    session: dict[str, Any]
    down = False

    def do_POST(self) -> None:
        body = parse_qs(self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())
        form = {name: values[0] for name, values in body.items()}
        type(self).calls.append((self.path, form, self.headers["Idempotency-Key"]))
        self._answer({"id": "re_1", "object": "refund"} if self.path == "/v1/refunds" else self.session)

    def do_GET(self) -> None:
        type(self).calls.append((self.path, {}, ""))
        self._answer(self.session)

    def _answer(self, what: dict[str, Any]) -> None:
        body = json.dumps({"error": {"message": "down"}} if self.down else what).encode()
        self.send_response(402 if self.down else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing on the terminal."""


@pytest.fixture
def stripe(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Stripe]]:
    monkeypatch.setattr(core, "PROVIDER_CACHE", {})
    Stripe.calls, Stripe.down = [], False
    Stripe.session = {
        "id": "cs_1",
        "object": "checkout.session",
        "url": "https://checkout.stripe.com/c/pay/cs_1",
        "status": "open",
        "payment_status": "unpaid",
        "payment_intent": "pi_1",
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stripe)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = {
        "api_key": "sk_test_1",
        "endpoint_secret": SECRET,
        "api": f"http://127.0.0.1:{server.server_port}",
    }
    settings.PAYMENT_VARIANTS = {"stripe": ("shop.orders.providers.StripeProvider", config)}
    settings.PAYMENT_DEFAULT = "stripe"
    yield Stripe
    server.shutdown()
    server.server_close()


@pytest.fixture
def order(lamp: Variant) -> Order:
    return make_order(lamp)


@pytest.fixture
def row(stripe: type[Stripe], order: Order) -> Payment:
    row = payment.start(order=order, variant="stripe")
    row.transaction_id = "cs_1"
    row.save()
    return row


def paid(row: Payment) -> dict[str, Any]:
    return {
        "client_reference_id": row.token,
        "payment_status": "paid",
        "amount_total": 5390,
        "currency": "usd",
    }


def event(row: Payment, *, kind: str = "completed", name: str = "evt_1", **session: Any) -> bytes:
    whole_session = {"id": "cs_1", "object": "checkout.session", "status": "complete", **paid(row), **session}
    whole = {
        "id": name,
        "object": "event",
        "type": f"checkout.session.{kind}",
        "data": {"object": whole_session},
    }
    return json.dumps(whole).encode()


def post(body: bytes, *, secret: str = SECRET, age: int = 0, signature: str | None = None) -> int:
    stamp = int(time.time()) - age
    digest = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    header = f"t={stamp},v1={digest}" if signature is None else signature
    headers = {"Stripe-Signature": header} if header else {}
    return Client().post(PATH, body, content_type="application/json", headers=headers).status_code


def state(row: Payment) -> tuple[str, str]:
    row.refresh_from_db()
    return row.status, Order.objects.get(pk=row.order_id).status


def test_a_signed_webhook_pays_the_order(row: Payment) -> None:
    assert post(event(row)) == 200
    assert state(row) == ("confirmed", "paid")
    assert ProviderEvent.objects.get().event_id == "evt_1"


def test_a_replayed_webhook_changes_nothing(row: Payment) -> None:
    assert [post(event(row)) for _ in range(3)] == [200, 200, 200]
    assert (state(row), ProviderEvent.objects.count()) == (("confirmed", "paid"), 1)
    assert [mail.kind for mail in OutboxMail.objects.all()] == ["paid"]


@pytest.mark.parametrize(
    "how",
    [{"signature": ""}, {"signature": "t=1,v1=00"}, {"signature": "nonsense"}, {"secret": "whsec_other"}],
)
def test_an_unsigned_webhook_is_refused(row: Payment, how: dict[str, Any]) -> None:
    assert post(event(row), **how) == 400
    assert (state(row), ProviderEvent.objects.count()) == (("waiting", "awaiting_payment"), 0)


def test_a_webhook_older_than_five_minutes_is_refused(row: Payment) -> None:
    assert post(event(row), age=301) == 400
    assert state(row) == ("waiting", "awaiting_payment")


def test_a_body_that_was_changed_on_the_way_is_refused(row: Payment) -> None:
    stamp, body = int(time.time()), event(row)
    digest = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert post(body.replace(b"5390", b"1"), signature=f"t={stamp},v1={digest}") == 400


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b"not json", b'{"id":"e","type":"checkout.session.completed"}']
)
def test_what_is_signed_but_unreadable_harms_nothing(row: Payment, body: bytes) -> None:
    assert post(body) in {200, 400}
    assert state(row) == ("waiting", "awaiting_payment")


def test_a_payment_of_another_shop_is_not_found(row: Payment) -> None:
    assert post(event(row, client_reference_id="00000000-0000-4000-8000-000000000000")) == 404
    assert post(event(row, id="cs_of_another_order")) == 404
    assert state(row) == ("waiting", "awaiting_payment")


def test_a_wrong_amount_does_not_pay_and_goes_back(row: Payment, stripe: type[Stripe]) -> None:
    assert post(event(row, amount_total=100)) == 200
    assert state(row) == ("confirmed", "awaiting_payment")
    assert refunds.send_due() == 1
    assert state(row) == ("refunded", "awaiting_payment")


def test_events_out_of_order_end_paid(row: Payment) -> None:
    post(event(row, kind="async_payment_failed", name="evt_2", payment_status="unpaid"))
    assert state(row) == ("rejected", "awaiting_payment")
    post(event(row, kind="async_payment_succeeded", name="evt_3"))
    post(event(row, kind="expired", name="evt_1", status="expired", payment_status="unpaid"))
    assert state(row) == ("confirmed", "paid")


def test_other_events_are_taken_and_left(row: Payment) -> None:
    body = json.dumps({"id": "evt_9", "object": "event", "type": "customer.created", "data": {"object": {}}})
    assert post(body.encode()) == 200
    assert state(row) == ("waiting", "awaiting_payment")


def test_without_stripe_its_address_does_not_exist(db: None) -> None:
    assert post(b"{}") == 404


def test_the_shopper_is_sent_to_stripe_and_asked_for_the_right_sum(
    guest: Client, lamp: Variant, stripe: type[Stripe]
) -> None:
    put_into_cart(guest, lamp)
    order = check_out(guest)
    started = guest.post(f"/orders/{order.public_id}/pay/")
    first, second = guest.get(started["Location"]), guest.get(started["Location"])
    assert first["Location"] == second["Location"] == "https://checkout.stripe.com/c/pay/cs_1"
    assert len(stripe.calls) == 1
    path, form, key = stripe.calls[0]
    row = Payment.objects.get()
    assert (path, key) == ("/v1/checkout/sessions", f"{row.token}:session")
    assert form["line_items[0][price_data][unit_amount]"] == "5390"
    assert form["success_url"] == f"http://127.0.0.1:8000/payments/{row.token}/return/"
    assert row.transaction_id == "cs_1"


def test_coming_back_before_the_webhook_shows_the_true_state(
    guest: Client, lamp: Variant, stripe: type[Stripe]
) -> None:
    put_into_cart(guest, lamp)
    order = check_out(guest)
    guest.get(guest.post(f"/orders/{order.public_id}/pay/")["Location"])
    row = Payment.objects.get()
    waiting = guest.get(f"/payments/{row.token}/return/", follow=True).content.decode()
    assert "Your bank is checking the payment." in waiting
    paid = {
        "client_reference_id": row.token,
        "payment_status": "paid",
        "amount_total": 5390,
        "currency": "usd",
    }
    stripe.session = stripe.session | paid
    assert (
        "We sent a receipt to a•••@example.com."
        in guest.get(f"/payments/{row.token}/return/", follow=True).content.decode()
    )


def test_when_stripe_is_down_nothing_is_charged_and_the_page_says_so(
    guest: Client, lamp: Variant, stripe: type[Stripe]
) -> None:
    stripe.down = True
    put_into_cart(guest, lamp)
    order = check_out(guest)
    started = guest.post(f"/orders/{order.public_id}/pay/")
    page = guest.get(started["Location"], follow=True).content.decode()
    assert "The payment service does not answer. Nothing was charged" in page
    stripe.down = False
    assert guest.get(started["Location"])["Location"] == "https://checkout.stripe.com/c/pay/cs_1"


def test_a_refund_is_asked_for_under_one_key(row: Payment, stripe: type[Stripe]) -> None:
    Order.objects.update(status="cancelled")
    post(event(row))
    stripe.down = True
    assert refunds.send_due() == 0
    stripe.down = False
    Payment.objects.update(refund_next_try_at=timezone.now())
    assert refunds.send_due() == 1
    asked = [(form, key) for path, form, key in stripe.calls if path == "/v1/refunds"]
    assert asked == [({"payment_intent": "pi_1"}, f"{row.token}:refund")]
    assert state(row) == ("refunded", "cancelled")


def test_a_webhook_that_never_came_is_made_up_for(row: Payment, stripe: type[Stripe]) -> None:
    paid = {
        "client_reference_id": row.token,
        "payment_status": "paid",
        "amount_total": 5390,
        "currency": "usd",
    }
    stripe.session = stripe.session | paid
    polling.ask_about_open()
    assert (state(row)[1], stripe.calls) == ("awaiting_payment", [])
    Payment.objects.update(modified=timezone.now() - polling.QUIET)
    polling.ask_about_open()
    assert state(row) == ("confirmed", "paid")


def test_after_the_order_ended_nobody_can_pay_at_stripe(row: Payment, stripe: type[Stripe]) -> None:
    Order.objects.update(status="expired")
    Payment.objects.update(modified=timezone.now() - polling.QUIET)
    polling.ask_about_open()
    assert [call[0] for call in stripe.calls] == [
        "/v1/checkout/sessions/cs_1",
        "/v1/checkout/sessions/cs_1/expire",
    ]
    assert state(row) == ("cancelled", "expired")
