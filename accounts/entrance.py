"""The forms of allauth in the words of the shop: every error says what to enter."""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.mfa.base import forms as mfa_forms
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.utils.translation import gettext_lazy as _

from accounts.forms import UncutForm

EMAIL = {
    "required": _("Enter your e-mail address, for example anna@example.com."),
    "invalid": _("Enter a whole e-mail address, for example anna@example.com."),
}
PASSWORD = {"required": _("Enter your password.")}
NEW_PASSWORD = {"required": _("Enter a new password of at least 10 characters.")}
AGAIN = {"required": _("Enter the new password once more.")}
CODE = {"required": _("Enter the six digits that your app shows.")}
ERRORS = {
    "code": CODE,
    "login": EMAIL,
    "email": EMAIL,
    "password": PASSWORD,
    "oldpassword": PASSWORD,
    "password2": AGAIN,
}
LABELS = {
    "code": _("Code"),
    "login": _("E-mail address"),
    "email": _("E-mail address"),
    "password": _("Password"),
    "oldpassword": _("Your password until now"),
    "password1": _("New password"),
    "password2": _("New password once more"),
    "remember": _("Stay logged in on this device"),
}


class InOurWords(UncutForm):
    """Gives the fields of an allauth form our labels and errors; hints stand above a field, never inside."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = LABELS.get(name, field.label)
            field.error_messages.update(ERRORS.get(name, {}))
            field.widget.attrs.pop("placeholder", None)


class LoginForm(InOurWords, allauth_forms.LoginForm):
    """Log in."""


class SignupForm(InOurWords, allauth_forms.SignupForm):
    """Create an account."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].label = LABELS["password"]
        self.fields["password1"].error_messages.update(NEW_PASSWORD)


class ResetPasswordForm(InOurWords, allauth_forms.ResetPasswordForm):
    """Ask for a link to a new password."""


class AddEmailForm(InOurWords, allauth_forms.AddEmailForm):
    """Add an address."""


class ChangePasswordForm(InOurWords, allauth_forms.ChangePasswordForm):
    """Change the password."""


class ResetPasswordKeyForm(InOurWords, allauth_forms.ResetPasswordKeyForm):
    """Choose a new password after following the link."""


class ReauthenticateForm(InOurWords, allauth_forms.ReauthenticateForm):
    """Confirm with the password."""


class CodeForm(InOurWords, mfa_forms.AuthenticateForm):
    """The second step of a login."""


class CodeAgainForm(InOurWords, mfa_forms.ReauthenticateForm):
    """A code before something that matters is changed."""


class FirstCodeForm(InOurWords, ActivateTOTPForm):
    """The first code of an app, which shows that it took the secret."""
