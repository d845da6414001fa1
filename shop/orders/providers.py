"""Stripe through django-payments, with what its provider leaves out.

The provider of django-payments 4.1 reads Stripe's answers as dictionaries, which stripe 16 does not return
any more, and sends neither idempotency keys nor time-outs. What differs from it stands here.
"""

import json
from typing import Any, NoReturn

import stripe
from payments import PaymentError, PaymentStatus, RedirectNeeded
from payments.stripe import StripeProviderV3

from shop.orders.models import Payment
from shop.orders.payment import Report

TIMEOUT = (2, 15)
"""Seconds to connect, and to wait for the answer."""
TOLERANCE = 300
"""Seconds after which a signed webhook is too old."""
NAME = "stripe"


class Unbelieved(ValueError):
    """A webhook that nobody signed for us, or that cannot be read."""


class StripeProvider(StripeProviderV3):
    """Sends the shopper to Stripe's own page; a key makes every call safe to repeat."""

    def __init__(self, *, api_key: str, endpoint_secret: str, api: str = "https://api.stripe.com") -> None:
        super().__init__(api_key=api_key, endpoint_secret=endpoint_secret)
        self.client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api},
            http_client=stripe.RequestsClient(timeout=TIMEOUT),
            max_network_retries=2,
        )

    def get_form(self, payment: Payment, **_data: Any) -> NoReturn:
        """Raise RedirectNeeded to Stripe's own page; PaymentError without an answer."""
        if not payment.transaction_id:
            session = self.create_session(payment)
            payment.transaction_id = session["id"]
            payment.attrs.session = {"id": session["id"], "url": session["url"]}
            payment.save(update_fields=["transaction_id", "extra_data"])
        raise RedirectNeeded(payment.attrs.session["url"])

    def create_session(self, payment: Payment) -> dict[str, Any]:
        """Open a checkout session at Stripe and return it; raises PaymentError."""
        wanted: Any = {
            "mode": "payment",
            "line_items": [self._line(payment)],
            "client_reference_id": payment.token,
            "customer_email": payment.billing_email,
            "success_url": payment.get_success_url(),
            "cancel_url": payment.get_failure_url(),
        }
        try:
            session = self.client.v1.checkout.sessions.create(
                wanted, {"idempotency_key": f"{payment.token}:session"}
            )
        except stripe.StripeError as error:
            raise PaymentError(str(error)) from error
        return dict(session.to_dict())

    def session(self, payment: Payment) -> dict[str, Any]:
        """Ask Stripe how the payment's session stands; raises PaymentError."""
        try:
            return dict(self.client.v1.checkout.sessions.retrieve(payment.transaction_id).to_dict())
        except stripe.StripeError as error:
            raise PaymentError(str(error)) from error

    def close(self, payment: Payment) -> None:
        """Let nobody pay the session any more; raises PaymentError, also if it has ended by itself."""
        try:
            self.client.v1.checkout.sessions.expire(payment.transaction_id)
        except stripe.StripeError as error:
            raise PaymentError(str(error)) from error

    def refund(self, payment: Payment, amount: Any = None) -> Any:
        """Send all of the payment back; repeating it sends it back once. Raises PaymentError."""
        intent = self.session(payment).get("payment_intent") or ""
        try:
            self.client.v1.refunds.create(
                {"payment_intent": intent}, {"idempotency_key": f"{payment.token}:refund"}
            )
        except stripe.StripeError as error:
            raise PaymentError(str(error)) from error
        return amount

    def event(self, body: bytes, signature: str) -> dict[str, Any]:
        """Read a webhook; raises Unbelieved unless our secret signed it within the last five minutes."""
        try:
            stripe.WebhookSignature.verify_header(body.decode(), signature, self.endpoint_secret, TOLERANCE)
        except stripe.SignatureVerificationError as error:
            raise Unbelieved("The signature does not fit, or is too old.") from error
        event = json.loads(body)
        if not isinstance(event, dict):
            raise Unbelieved("The body is not an event.")
        return event

    def _line(self, payment: Payment) -> dict[str, Any]:
        price = {
            "currency": payment.currency.lower(),
            "unit_amount": payment.amount,
            "product_data": {"name": payment.description},
        }
        return {"quantity": 1, "price_data": price}


def report(session: dict[str, Any], *, event: str = "") -> Report | None:
    """Turn a checkout session into what we hear; None as long as nothing has been decided."""
    status = ""
    if session.get("payment_status") == "paid":
        status = PaymentStatus.CONFIRMED
    elif session.get("status") == "expired":
        status = PaymentStatus.CANCELLED
    if not status:
        return None
    return Report(
        token=str(session.get("client_reference_id") or ""),
        status=status,
        amount=int(session.get("amount_total") or 0),
        currency=str(session.get("currency") or ""),
        provider=NAME,
        event=event,
    )
