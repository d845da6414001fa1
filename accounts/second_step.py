"""The second step of a login: a code of an authenticator app, or one of the codes on paper.

Whoever has set it up is asked for it at every door: by allauth in the shop, and here at the admin's, whose
own form takes the password (and is locked by axes) but logs nobody in who owes a code.
"""

from collections.abc import Callable
from typing import Any

from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.internal.flows.login import get_authentication_records, perform_login
from allauth.account.models import Login
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import sealing
from accounts.limits import client_address
from accounts.models import User

Door = Callable[..., HttpResponse]


class Adapter(DefaultMFAAdapter):
    """Allauth's second step in the words of the shop."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This code is not right. Enter the one that your app shows now, or an unused recovery code."
        ),
        "unverified_email": gettext_lazy("Confirm your e-mail address first, then set up the second step."),
        "add_email_blocked": gettext_lazy(
            "This account has a second step: remove that first, then add an address."
        ),
    }

    def get_totp_issuer(self) -> str:
        """Return the name under which the app lists the account."""
        return str(settings.SHOP_NAME)

    def encrypt(self, text: str) -> str:
        """Return a secret as it stands in the rows."""
        return sealing.seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Return the secret of a row. Raises ImproperlyConfigured without its key."""
        return sealing.unseal(encrypted_text)


def has_passed(request: HttpRequest) -> bool:
    """Tell whether a code was asked for and given in this session."""
    return any(record["method"] == "mfa" for record in get_authentication_records(request, request.user))


def reset(*, email: str) -> bool:
    """Forget the second step of somebody who lost app and paper; False where there was none.

    Raises User.DoesNotExist.
    """
    user = User.objects.get(email=email.strip().lower())
    deleted, _kinds = Authenticator.objects.filter(user=user).delete()
    return bool(deleted)


def pending_account(_group: str, request: HttpRequest) -> str:
    """Count tries by the account whose code is asked for, from whatever address they come."""
    login = request.session.get("account_login") or {}
    return f"pending {login['user_pk']}" if login.get("user_pk") else client_address(request)


def may_enter(has_permission: Callable[[HttpRequest], bool]) -> Callable[[HttpRequest], bool]:
    """Let staff into the admin only after a second step, where STAFF_SECOND_STEP says so."""

    def allowed(request: HttpRequest) -> bool:
        return has_permission(request) and (not settings.STAFF_SECOND_STEP or has_passed(request))

    return allowed


def admin_door(password_door: Door) -> Door:
    """Ask at the admin's login for what is missing after the password: the code, or an app to give it."""

    def door(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and _owes_a_step(request):
            return _to_the_step(request)
        response = password_door(request, extra_context)
        if request.method != "POST" or response.status_code != 302 or not is_mfa_enabled(request.user):
            return response
        # The password was right. What it logged in is undone before anything is answered or stored, and
        # allauth goes on from here as after the password of the shop's own login.
        user, url = request.user, response["Location"]
        logout(request)
        login = Login(user=user, redirect_url=url, email_verification=EmailVerificationMethod.NONE)
        step: HttpResponse = perform_login(request, login)
        return step

    return door


def _owes_a_step(request: HttpRequest) -> bool:
    is_staff = request.user.is_active and request.user.is_staff
    return bool(settings.STAFF_SECOND_STEP and is_staff and not has_passed(request))


def _to_the_step(request: HttpRequest) -> HttpResponse:
    """Lead whoever has no app yet to the page that sets it up, and everybody else to the code."""
    query = urlencode({"next": request.GET.get("next") or reverse("admin:index")})
    if is_mfa_enabled(request.user, [Authenticator.Type.TOTP]):
        return redirect(f"{reverse('mfa_reauthenticate')}?{query}")
    messages.info(request, _("The admin asks for a second step. Set it up here, then open the admin again."))
    return redirect("mfa_activate_totp")
