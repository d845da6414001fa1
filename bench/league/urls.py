"""One address a variant: the shopper is known by the same pass as at the gate."""

import time

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from bench.league.guarded import TooBusy
from bench.league.variants import VARIANTS
from flashsale.passes import Signer

PATH = "bench/league"
SALE = 0
signer = Signer(settings.PASS_KEYS)


def attempt(request: HttpRequest, name: str) -> HttpResponse:
    """Let one shopper try by one variant; who was not decided is told `full`."""
    found = signer.verify(request.COOKIES[settings.PASS_COOKIE].encode(), sale=SALE, now=time.time())
    try:
        won = VARIANTS[name].buy(found)
    except (TooBusy, OperationalError):
        return JsonResponse({"outcome": "full"}, status=503)
    if won:
        return JsonResponse({"outcome": "reserved"}, status=201)
    return JsonResponse({"outcome": "sold_out"}, status=409)


def constant(_request: HttpRequest) -> HttpResponse:
    """Answer something that costs nothing."""
    return HttpResponse("{}")


urlpatterns = [path(PATH, constant), path(f"{PATH}/<str:name>", attempt)]
