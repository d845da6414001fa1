"""What a visitor is told when a page fails or is missing; a program is told in JSON.

"Come back in a moment" if a store is away, else "our fault".
"""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.defaults import page_not_found, server_error

RETRY_AFTER = 5
"""Seconds until a database that restarts, or a lock that was not to be had, is worth another try."""


def _asks_as_program(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def page_missing(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    if _asks_as_program(request):
        return JsonResponse({"detail": _("There is nothing at this address.")}, status=404)
    return page_not_found(request, exception)


def page_failed(request: HttpRequest) -> HttpResponse:
    """Answer 503 with Retry-After where the database did not answer in time, 500 otherwise."""
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return server_error(request)
    response: HttpResponse
    if _asks_as_program(request):
        response = JsonResponse({"detail": _("The shop is not ready at the moment.")}, status=503)
    else:
        response = render(request, "503.html", {"retry_after": RETRY_AFTER}, status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response
