"""Doors that take a password or an address: how often somebody may guess there."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase

from accounts import devices
from accounts.limits import client_address, limited

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
TYPED_AS = ("login", "email", "username")


def named_account(_group: str, request: HttpRequest) -> str:
    """Key on the account that was typed, whether it exists or not; where none was typed, on the address.

    A browser that knows the account counts by itself: a stranger's guesses do not lock its owner out there.
    """
    typed = _typed(request)
    return f"{typed} {_device(request)}" if typed else client_address(request)


def _typed(request: HttpRequest) -> str:
    return next((request.POST[name] for name in TYPED_AS if request.POST.get(name)), "").strip().lower()


def _device(request: HttpRequest) -> str:
    return devices.known(request, email=_typed(request))


def limited_guesses(view: View[P], *, group: str, per_account: str, per_address: str) -> View[P]:
    """Count a door's posts by account, then by address.

    The account counts first, so that a thousand addresses with one list of passwords are slowed too.
    """

    def told_as(request: HttpRequest) -> str:
        return f"{group} device" if _device(request) else f"{group} account"

    by_address = limited(group=f"{group} address", key="ip", rate=per_address)(view)
    by_account = limited(group=f"{group} account", key=named_account, rate=per_account, told_as=told_as)
    return by_account(by_address)


def limited_login(view: View[P], *, group: str = "login") -> View[P]:
    """Ten tries in five minutes for an account, thirty a minute for an address; all logins count together."""
    return limited_guesses(view, group=group, per_account="10/5m", per_address="30/m")
