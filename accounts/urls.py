"""The account under /accounts/; the pages of allauth that take guesses stand behind the limiter."""

from allauth.account import views as allauth_views
from allauth.mfa.base import views as mfa_views
from allauth.mfa.totp import views as totp_views
from django.urls import path, re_path

from accounts import views
from accounts.guesses import limited_guesses, limited_login
from accounts.limits import limited
from accounts.second_step import pending_account

login = limited_login(allauth_views.login)
sign_up = limited(group="sign up", key="ip", rate="20/m")(allauth_views.signup)
ask_for_reset = limited_guesses(
    allauth_views.password_reset, group="ask for reset", per_account="5/5m", per_address="20/m"
)
reset = limited(group="reset", key="ip", rate="20/m")(allauth_views.password_reset_from_key)
manage_email = limited(group="e-mail", key="user_or_ip", rate="10/5m")(allauth_views.email)
change_password = limited(group="password", key="user_or_ip", rate="5/m")(allauth_views.password_change)
reauthenticate = limited(group="reauthenticate", key="user_or_ip", rate="10/5m")(allauth_views.reauthenticate)
enter_code = limited(group="code", key=pending_account, rate="10/5m")(mfa_views.authenticate)
enter_code_again = limited(group="code again", key="user_or_ip", rate="10/5m")(mfa_views.reauthenticate)
enter_first_code = limited(group="first code", key="user_or_ip", rate="10/5m")(totp_views.activate_totp)

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
    path("2fa/authenticate/", enter_code, name="mfa_authenticate"),
    path("2fa/reauthenticate/", enter_code_again, name="mfa_reauthenticate"),
    path("2fa/totp/activate/", enter_first_code, name="mfa_activate_totp"),
]
