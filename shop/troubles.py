"""What a visitor is told when a page fails: "come back in a moment" if a store is away, else "our fault"."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.defaults import server_error

RETRY_AFTER = 5
"""Seconds until a database that restarts, or a lock that was not to be had, is worth another try."""


def page_failed(request: HttpRequest) -> HttpResponse:
    """Answer 503 with Retry-After where the database did not answer in time, 500 otherwise."""
    if not isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return server_error(request)
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = JsonResponse({"detail": _("The shop is not ready at the moment.")}, status=503)
    else:
        response = render(request, "503.html", {"retry_after": RETRY_AFTER}, status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response
