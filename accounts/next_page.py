"""Where somebody wanted to go before he was asked for something."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme


def wanted(request: HttpRequest) -> str:
    """Return the address in `next`, if it is a page of this shop; else nothing."""
    address = request.POST.get("next", request.GET.get("next", ""))
    if not address:
        return ""
    is_ours = url_has_allowed_host_and_scheme(
        address, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return address if is_ours else ""
