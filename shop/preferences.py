"""What a reader chooses for every page: the language, and light or dark. Cookies keep both for everybody."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from accounts.models import User
from shop.origin import from_own_pages

SCHEME = "scheme"
SCHEMES = ("light", "dark")


def scheme_of(request: HttpRequest) -> str:
    """Return "light" or "dark" where the reader has chosen, else an empty text: the device decides."""
    chosen = request.COOKIES.get(SCHEME, "")
    return chosen if chosen in SCHEMES else ""


@require_POST
def choose_language(request: HttpRequest) -> HttpResponse:
    """Keep the choice and go back; mails to whoever is logged in follow it."""
    response = set_language(request)
    chosen = request.POST.get("language", "")
    if isinstance(request.user, User) and chosen in dict(settings.LANGUAGES):
        request.user.speaks(chosen)
    return response


@require_POST
def choose_scheme(request: HttpRequest) -> HttpResponse:
    """Keep the choice and go back; anything else than light or dark is the device's choice again."""
    response = redirect(_page_before(request))
    chosen = request.POST.get("scheme", "")
    if chosen in SCHEMES:
        age = settings.LANGUAGE_COOKIE_AGE
        response.set_cookie(SCHEME, chosen, max_age=age, secure=not settings.DEBUG, samesite="Lax")
    else:
        response.delete_cookie(SCHEME, samesite="Lax")
    return response


def _page_before(request: HttpRequest) -> str:
    before = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(
        before, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return before if is_ours else "/"


urlpatterns = [
    path("language/", from_own_pages(choose_language), name="language"),
    path("scheme/", from_own_pages(choose_scheme), name="scheme"),
]
