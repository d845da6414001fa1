"""Secrets of the second step: sealed in the rows, with keys that can be replaced."""

import importlib
import re

import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from accounts.sealing import seal, unseal
from accounts.tests.test_second_step import CODE, _at_the_door, _code, _is_in, chief, secret

__all__ = ["chief", "secret"]
migration = importlib.import_module("accounts.migrations.0004_seal_second_steps")


def test_no_row_holds_a_secret_as_it_is(secret: str, chief: User) -> None:
    rows = Authenticator.objects.filter(user=chief)
    kept = [text for row in rows for name, text in row.data.items() if name in migration.KEPT]
    assert len(kept) == 2
    assert all(text.startswith("gAAAA") and secret not in text for text in kept)
    assert unseal(rows.get(type="totp").data["secret"]) == secret


def test_the_same_secret_is_never_sealed_alike() -> None:
    assert seal("one") != seal("one")
    assert unseal(seal("one")) == "one"


def test_a_new_key_in_front_seals_and_the_old_one_still_opens(
    client: Client, secret: str, settings: Settings
) -> None:
    settings.SEALING_KEYS = ["a new key", *settings.SEALING_KEYS]
    assert _at_the_door(client) == CODE
    client.post(CODE, {"code": _code(secret)})
    assert _is_in(client)
    sealed = seal("two")
    settings.SEALING_KEYS = ["a new key"]
    assert unseal(sealed) == "two"


def test_without_its_key_nothing_is_taken_for_the_secret(settings: Settings) -> None:
    sealed = seal("three")
    settings.SEALING_KEYS = ["another key"]
    with pytest.raises(ImproperlyConfigured, match="No key of SEALING_KEYS"):
        unseal(sealed)
    altered = sealed[:-4] + ("AAA=" if sealed[-4:] != "AAA=" else "BBB=")
    with pytest.raises(ImproperlyConfigured):
        unseal(altered)


def test_secrets_of_before_are_sealed_by_the_migration_and_still_open_the_door(
    client: Client, secret: str, chief: User
) -> None:
    migration.unseal_all(apps, None)
    assert Authenticator.objects.get(user=chief, type="totp").data["secret"] == secret
    assert _at_the_door(client) == CODE
    client.post(CODE, {"code": _code(secret)})
    assert _is_in(client)  # a process of the new release reads what the old one wrote
    migration.seal_all(apps, None)
    migration.seal_all(apps, None)  # once more changes nothing that matters
    assert unseal(Authenticator.objects.get(user=chief, type="totp").data["secret"]) == secret
    seed = Authenticator.objects.get(user=chief, type="recovery_codes").data["seed"]
    assert seed.startswith("gAAAA")
    assert re.fullmatch("[0-9a-f]+", unseal(seed))
