"""How allauth behaves in this shop."""

import logging
from smtplib import SMTPException
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from django.conf import settings
from django.contrib import messages
from django.contrib.sites.models import Site
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from accounts import devices
from accounts.limits import client_address
from accounts.models import User

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Allauth in the words of the shop, seeing the addresses that the limiter sees."""

    error_messages = DefaultAccountAdapter.error_messages | {
        "email_password_mismatch": gettext_lazy(
            "This e-mail address and this password do not belong together. Check both, or set a new password."
        ),
        "email_taken": gettext_lazy("There is an account with this e-mail address already."),
        "too_many_login_attempts": gettext_lazy("Too many tries. Try again in a few minutes."),
        "incorrect_password": gettext_lazy("This is not your password."),
        "enter_current_password": gettext_lazy("Enter your present password."),
    }

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that the limiter counts."""
        return client_address(request)

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Go where the login was asked for, and know this browser and its language from now on."""
        response: HttpResponse = super().post_login(request, user, **kwargs)
        devices.remember(request, response, email=user.email)
        user.speaks(get_language())
        return response

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send within the request, bounded by `shop.smtp.PATIENCE`, and say so if it failed.

        Asking again sends a new link, and that link is a secret with an end: in an outbox it would outlive
        the request that asked for it. Mails about orders, which nobody asks for again, leave from the outbox.
        """
        request = allauth_context.request
        site = Site(domain=request.get_host(), name=settings.SHOP_NAME)
        try:
            super().send_mail(template_prefix, email, context | {"current_site": site})
        except (SMTPException, OSError):
            log.exception("No mail server took the mail %s", template_prefix)
            messages.warning(
                request,
                _("We could not send the e-mail just now. Ask for it again in a few minutes."),
            )
