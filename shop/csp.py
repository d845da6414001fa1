"""What a page may load and run. Shop pages: our own files and nothing written into the page."""

from collections.abc import Callable
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

PAGES = {
    "default-src": [SELF],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF, "https://checkout.stripe.com"],
    "frame-ancestors": [NONE],
}
# The admin's theme computes expressions that stand in its attributes (Alpine) and writes widths and colours
# into style attributes. Scripts still come from our own files only: an injected <script> or onclick is dead.
ADMIN = {
    "script-src": [SELF, UNSAFE_EVAL],
    "style-src": [SELF, UNSAFE_INLINE],
    "form-action": [SELF],
}

FILES = ("default-src", "script-src", "style-src", "img-src")

Policy = dict[str, list[str]]
Answer = Callable[[HttpRequest], HttpResponseBase]


def with_files(policy: Policy, static_url: str) -> Policy:
    """Return a policy that also lets files of the shop come from the host of `static_url`, a CDN's."""
    url = urlsplit(static_url)
    if not url.netloc:
        return policy
    host = f"{url.scheme}://{url.netloc}"
    return {name: [*sources, host] if name in FILES else sources for name, sources in policy.items()}


def pages(static_url: str) -> Policy:
    """Return the policy of the shop's pages."""
    return with_files(PAGES, static_url)


def admin_policy(get_response: Answer) -> Answer:
    """Middleware inside django-csp's: pages of the admin, and only those, get the admin's policy."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.resolver_match and "admin" in request.resolver_match.app_names:
            response._csp_replace = with_files(ADMIN, settings.STATIC_URL)  # type: ignore[attr-defined]  # where django-csp looks
        return response

    return answer
