"""`/healthz`: this process answers. `/readyz`: its stores answer too."""

from django.core.cache import caches
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django_redis import get_redis_connection


def healthz(request: HttpRequest) -> HttpResponse:
    """Say that this process runs."""
    return HttpResponse("ok\n", content_type="text/plain")


def _postgres() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _sale_store() -> None:
    get_redis_connection("sale").ping()


def _cache() -> None:
    caches["default"].set("readyz", 1, 5)


def readyz(request: HttpRequest) -> JsonResponse:
    """Say of each store whether it answers; 503 if the database does not (the shop lives without the others)."""
    answers = {}
    for name, ask in {"postgres": _postgres, "sale_store": _sale_store, "cache": _cache}.items():
        try:
            ask()
            answers[name] = "ok"
        except Exception as error:  # whatever a store's client raises, the answer is "down"
            answers[name] = f"down: {type(error).__name__}"
    return JsonResponse(answers, status=200 if answers["postgres"] == "ok" else 503)


urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
]
