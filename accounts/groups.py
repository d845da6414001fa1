"""The three groups of the staff and just what they need (by name: nothing is imported from other apps)."""

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission

READ = ("view",)
DECIDE = ("view", "change")
BEGIN = ("view", "add")
ALL = ("view", "add", "change", "delete")
EVERY_MODEL = "*"

Needs = dict[str, dict[str, tuple[str, ...]]]
GROUPS: dict[str, Needs] = {
    "merchandiser": {
        "catalogue": {EVERY_MODEL: ALL},
        "flashsale": {
            "sale": ALL,
            "saleitem": ALL,
            "whitelistentry": ALL,
            "reservation": READ,
            "standbyentry": READ,
            "parkedentry": READ,
            "transfer": BEGIN,
        },
        "orders": {"order": READ, "orderline": READ},
    },
    "support": {
        "accounts": {"user": READ, "address": READ},
        "catalogue": {EVERY_MODEL: READ},
        "flashsale": {"sale": READ, "saleitem": READ, "reservation": DECIDE, "standbyentry": READ},
        "orders": {"order": DECIDE, "orderline": READ, "payment": READ, "outboxmail": READ},
    },
    "auditor": {
        "accounts": {"user": READ},
        "admin": {"logentry": READ},
        "catalogue": {EVERY_MODEL: READ},
        "flashsale": {EVERY_MODEL: READ},
        "orders": {EVERY_MODEL: READ},
    },
}


class UnknownPermission(LookupError):
    """A permission that no model has: the table above and the models disagree."""


def ensure_groups() -> None:
    """Make the groups and give each exactly its permissions; running it again changes nothing.

    Permissions appear only after a whole `migrate`, too late for a migration of ours; so they are made here
    first, and this is called after migrating: by `manage.py setup_groups`, the demo shop and the deployment.
    """
    for label in {label for needs in GROUPS.values() for label in needs}:
        create_permissions(apps.get_app_config(label), verbosity=0)
    for name, needs in GROUPS.items():
        group, _created = Group.objects.get_or_create(name=name)
        group.permissions.set([_permission(label, codename) for label, codename in _wanted(needs)])


def _wanted(needs: Needs) -> list[tuple[str, str]]:
    wanted = []
    for label, models in needs.items():
        for model, actions in models.items():
            every = [m._meta.model_name or "" for m in apps.get_app_config(label).get_models()]
            names = every if model == EVERY_MODEL else [model]
            wanted += [(label, f"{action}_{name}") for name in names for action in actions]
    return wanted


def _permission(label: str, codename: str) -> Permission:
    found = Permission.objects.filter(content_type__app_label=label, codename=codename).first()
    if found is None:
        raise UnknownPermission(f"There is no permission {label}.{codename}.")
    return found
