"""Seals the secrets of the second step that stand in the rows as they are."""

from typing import Any

from django.db import migrations

from accounts.sealing import seal, unseal

KEPT = ("secret", "seed")


def _rewrite(apps: Any, with_: Any) -> None:
    authenticators = apps.get_model("mfa", "Authenticator").objects
    for row in authenticators.filter(type__in=["totp", "recovery_codes"]).iterator():
        row.data |= {name: with_(row.data[name]) for name in KEPT if name in row.data}
        row.save(update_fields=["data"])


def seal_all(apps: Any, _editor: Any) -> None:
    _rewrite(apps, lambda text: seal(unseal(text)))


def unseal_all(apps: Any, _editor: Any) -> None:
    _rewrite(apps, unseal)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_language"), ("mfa", "0003_authenticator_type_uniq")]

    operations = [migrations.RunPython(seal_all, unseal_all)]
