"""The account under /accounts/; the pages of allauth that take guesses stand behind the limiter."""

from allauth.account import views as allauth_views
from django.http import HttpRequest
from django.urls import path, re_path

from accounts import devices, views
from accounts.limits import client_address, limited


def named_account(_group: str, request: HttpRequest) -> str:
    """Key on the account that was typed, whether it exists or not; where none was typed, on the address.

    A browser that knows the account counts by itself: a stranger's guesses do not lock its owner out there.
    """
    typed = (request.POST.get("login") or request.POST.get("email") or "").strip().lower()
    return f"{typed} {devices.known(request, email=typed)}" if typed else client_address(request)


# The account counts first, so that a thousand addresses trying one password list against it are slowed too.
login = limited(group="login account", key=named_account, rate="10/5m")(
    limited(group="login address", key="ip", rate="30/m")(allauth_views.login)
)
sign_up = limited(group="sign up", key="ip", rate="20/m")(allauth_views.signup)
ask_for_reset = limited(group="reset account", key=named_account, rate="5/5m")(
    limited(group="reset address", key="ip", rate="20/m")(allauth_views.password_reset)
)
reset = limited(group="reset", key="ip", rate="20/m")(allauth_views.password_reset_from_key)
manage_email = limited(group="e-mail", key="user_or_ip", rate="10/5m")(allauth_views.email)
change_password = limited(group="password", key="user_or_ip", rate="5/m")(allauth_views.password_change)
reauthenticate = limited(group="reauthenticate", key="user_or_ip", rate="10/5m")(allauth_views.reauthenticate)

urlpatterns = [
    path("", views.account, name="account"),
    path("addresses/", views.addresses, name="addresses"),
    path("addresses/add/", views.address_add, name="address-add"),
    path("addresses/<int:pk>/", views.address_edit, name="address-edit"),
    path("addresses/<int:pk>/delete/", views.address_delete, name="address-delete"),
    path("captcha/<slug:key>.png", views.captcha_image, name="captcha-image"),
    path("captcha/<slug:key>.wav", views.captcha_audio, name="captcha-audio"),
    path("login/", login, name="account_login"),
    path("signup/", sign_up, name="account_signup"),
    path("password/reset/", ask_for_reset, name="account_reset_password"),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        reset,
        name="account_reset_password_from_key",
    ),
    path("email/", manage_email, name="account_email"),
    path("password/change/", change_password, name="account_change_password"),
    path("reauthenticate/", reauthenticate, name="account_reauthenticate"),
]
