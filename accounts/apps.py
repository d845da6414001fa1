"""Who may buy."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "accounts"
