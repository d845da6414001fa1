"""Pages that are the same for everybody: any cache may keep them, and what is known is not sent again.

What is personal on them, the number at the cart, is filled in by the browser from a cookie that a script may
read. A page is still written in the reader's language and scheme, hence `Vary`. Whoever has a message waiting
(Django keeps those in a cookie) gets a page of their own with it.
"""

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.views.decorators.http import conditional_page

CART_COOKIE = "cart_count"
MESSAGES = CookieStorage.cookie_name
SHARED_FOR = 15
"""Seconds for which a cache in front of the shop may keep a page; a browser asks every time."""

View = Callable[..., HttpResponse]
Answer = Callable[[HttpRequest], HttpResponseBase]


def public_page(view: View) -> View:
    """Draw a page without anything personal, and let caches keep it; an error page is not kept."""

    @conditional_page
    @wraps(view)
    def shown(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        is_public = not request.COOKIES.get(MESSAGES)
        request.is_public = is_public  # type: ignore[attr-defined]  # read by shop.context
        response = view(request, *args, **kwargs)
        if is_public and response.status_code == HTTPStatus.OK:
            patch_cache_control(response, public=True, max_age=0, s_maxage=SHARED_FOR)
        patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

    return shown


def share_with_guests(request: HttpRequest, response: HttpResponse, *, seconds: int) -> None:
    """Let caches keep a page that is personal only for whoever is known here; a guest has no session yet.

    It is drawn in the reader's language and scheme, and may not have asked for a token of a form.
    """
    is_known = settings.SESSION_COOKIE_NAME in request.COOKIES or request.COOKIES.get(MESSAGES)
    if not is_known and "CSRF_COOKIE" not in request.META and response.status_code == HTTPStatus.OK:
        patch_cache_control(response, public=True, max_age=0, s_maxage=seconds)
    patch_vary_headers(response, ["Accept-Language", "Cookie"])


def private_page(get_response: Answer) -> Answer:
    """Middleware inside the session's: what rests on the session is for one browser only. It is told how many
    things are in its cart when that changed."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not request.session.accessed:
            return response
        response.headers.setdefault("Cache-Control", "private, no-cache")
        count = str(request.session.get(CART_COOKIE, 0))
        if count != request.COOKIES.get(CART_COOKIE, "0"):
            response.set_cookie(CART_COOKIE, count, secure=not settings.DEBUG, samesite="Lax")
        return response

    return answer
