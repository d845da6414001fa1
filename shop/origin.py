"""Forms that need no token of their own, so that the pages with them are the same for everybody."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt, csrf_protect

View = Callable[..., HttpResponseBase]


def from_own_pages(view: View) -> View:
    """Let a POST through that its browser says was sent from a page of ours; any other needs the CSRF token.

    A script cannot write the two headers that are looked at, and every browser sends at least one of them.
    """

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        if request.method != "POST" or _is_own(request):
            return view(request, *args, **kwargs)
        return csrf_protect(view)(request, *args, **kwargs)

    return guarded


def _is_own(request: HttpRequest) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin")
    own = f"{request.scheme}://{request.get_host()}"
    return origin is not None and origin in {own, *settings.CSRF_TRUSTED_ORIGINS}
