"""`/healthz`: this process answers. `/readyz`: its stores answer. `/metrics`: its figures, for us only."""

import logging
from ipaddress import ip_address

from django.conf import settings
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django_redis import get_redis_connection
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from accounts.limits import client_address
from shop import canary, replicas
from shop.metrics import add_collector, registry

log = logging.getLogger(__name__)
add_collector(name="replica", collect=replicas.collect)
add_collector(name="canary", collect=canary.collect)
PASSED_ON = ("X-Forwarded-For", "Forwarded", "X-Real-IP")


@require_safe
@never_cache
def healthz(_request: HttpRequest) -> HttpResponse:
    """Say that this process runs."""
    return HttpResponse("ok\n", content_type="text/plain")


def _postgres() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _sale_store() -> None:
    get_redis_connection("sale").ping()


def _cache() -> None:
    get_redis_connection("default").ping()


@require_safe
@never_cache
def readyz(_request: HttpRequest) -> JsonResponse:
    """Say of each store "ok" or "down"; 503 if the database is down (the shop lives without the others)."""
    answers = {}
    stores = {"postgres": _postgres, "sale_store": _sale_store, "cache": _cache}
    if replicas.REPLICA in settings.DATABASES:
        stores["replica"] = replicas.check
    for name, ask in stores.items():
        try:
            ask()
            answers[name] = "ok"
        except Exception as error:  # whatever a store's client raises, the answer is "down"
            log.warning("%s does not answer: %r", name, error)
            answers[name] = "down"
    return JsonResponse(answers, status=200 if answers["postgres"] == "ok" else 503)


def _is_internal(request: HttpRequest) -> bool:
    # A proxy that nobody told us about would make every visitor look like one of our own machines.
    if not settings.CLIENT_ADDRESS_HEADER and any(name in request.headers for name in PASSED_ON):
        return False
    address = ip_address(client_address(request))
    return any(address in network for network in settings.METRICS_ALLOWED)


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the figures in Prometheus' text format; outside METRICS_ALLOWED there is no such page."""
    if not _is_internal(request):
        raise Http404
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
