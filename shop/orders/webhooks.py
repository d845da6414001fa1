"""What payment providers call. Only what they have signed is read, and it may come any number of times."""

import logging
from typing import Any

from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from payments import PaymentStatus
from payments.core import provider_factory
from prometheus_client import Counter

from shop.metrics import registry
from shop.orders import payment as payments
from shop.orders.models import Payment
from shop.orders.payment import Report
from shop.orders.providers import NAME, StripeProvider, Unbelieved, report

logger = logging.getLogger(__name__)

WEBHOOKS = Counter(
    "shop_webhooks", "Webhooks of the payment provider, by outcome.", ["outcome"], registry=registry
)
OUTCOMES = {200: "heard", 400: "refused", 404: "unmatched"}
for outcome in (*OUTCOMES.values(), "failed"):
    WEBHOOKS.labels(outcome)  # so that the first one is a rise
FAILED = "checkout.session.async_payment_failed"


@csrf_exempt
@require_POST
def stripe(request: HttpRequest) -> JsonResponse:
    """Take in one event of Stripe. 400: not signed for us, or unreadable; 404: of no payment of ours."""
    provider = _provider()
    with WEBHOOKS.labels("failed").count_exceptions():
        response = _take_in(provider, request)
    WEBHOOKS.labels(OUTCOMES[response.status_code]).inc()
    return response


def _take_in(provider: StripeProvider, request: HttpRequest) -> JsonResponse:
    try:
        event = provider.event(request.body, request.headers.get("Stripe-Signature", ""))
        session = _session(event)
    except ValueError as error:
        logger.warning("a webhook was refused: %s", error)
        return JsonResponse({"detail": str(error)}, status=400)
    if session is None:
        return JsonResponse({"detail": "Nothing to do."})
    return _hear(event, session)


def _provider() -> StripeProvider:
    try:
        provider = provider_factory(NAME)
    except ValueError as error:
        raise Http404 from error
    if not isinstance(provider, StripeProvider):
        raise Http404
    return provider


def _session(event: dict[str, Any]) -> dict[str, Any] | None:
    """The checkout session an event speaks of; None if it speaks of something else."""
    if not str(event.get("type", "")).startswith("checkout.session."):
        return None
    data = event.get("data")
    session = data.get("object") if isinstance(data, dict) else None
    if not isinstance(session, dict) or not isinstance(event.get("id"), str):
        raise Unbelieved("The event has no session or no id.")
    return session


def _hear(event: dict[str, Any], session: dict[str, Any]) -> JsonResponse:
    news = report(session, event=event["id"])
    if news is None and event["type"] == FAILED:
        news = Report(
            token=str(session.get("client_reference_id") or ""),
            status=PaymentStatus.REJECTED,
            provider=NAME,
            event=event["id"],
        )
    if news is None:
        return JsonResponse({"detail": "Nothing is decided yet."})
    payment = Payment.objects.filter(token=news.token, variant=NAME).first()
    if payment is None or payment.transaction_id not in {"", session.get("id")}:
        logger.error("event %s speaks of a payment that is not ours", event["id"])
        return JsonResponse({"detail": "No such payment here."}, status=404)
    payments.hear(news)
    return JsonResponse({"detail": "Heard."})
