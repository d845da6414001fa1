"""manage.py seed_demo"""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from accounts.groups import GROUPS, ensure_groups
from accounts.models import Address, User
from shop.catalogue import demo
from shop.up.demo import DEMO_ACCOUNTS

ADDRESSES = {
    "shopper": {"full_name": "Sam Shopper", "line1": "12 Mill Lane", "postcode": "BA1 1AA", "city": "Bath"},
    "rival": {
        "full_name": "Robin Rival",
        "line1": "4 Harbour Road",
        "postcode": "BS1 5TY",
        "city": "Bristol",
    },
}
MEMBER_FOR = timedelta(days=400)


class Command(BaseCommand):
    """Fill the demo shop; a second run adds only what is missing."""

    help = "Add the demo shop's products and people; what is there already stays as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--yes-really", action="store_true", help="even in production")

    def handle(self, *_args: Any, yes_really: bool, **_options: Any) -> None:
        if not settings.DEBUG and not yes_really:
            raise CommandError(
                "The passwords of the demo shop's people are public. Outside development add --yes-really."
            )
        products = demo.load()
        ensure_groups()
        people = sum(_add_person(*account) for account in DEMO_ACCOUNTS)
        self.stdout.write(f"Added {products} products and {people} accounts to the demo shop.")


@transaction.atomic
def _add_person(role: str, email: str, password: str) -> bool:
    """Whether the account was missing. One that is there keeps its password and everything else."""
    if User.objects.filter(email=email).exists():
        return False
    user = User.objects.create_user(
        email,
        password,
        level=1,
        is_staff=role == "admin" or role in GROUPS,
        is_superuser=role == "admin",
        date_joined=timezone.now() - MEMBER_FOR,
    )
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    user.groups.set(Group.objects.filter(name=role))
    if role in ADDRESSES:
        Address.objects.create(user=user, country="GB", is_default=True, **ADDRESSES[role])
    return True
