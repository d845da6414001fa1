"""`manage.py setup_groups`: the groups of the staff, after every migrate."""

from django.core.management.base import BaseCommand, CommandError

from accounts.groups import GROUPS, UnknownPermission, ensure_groups


class Command(BaseCommand):
    help = "Make the groups of the staff with exactly the permissions they need."

    def handle(self, **_options: object) -> None:
        """Say which groups there are now."""
        try:
            ensure_groups()
        except UnknownPermission as error:
            raise CommandError(f"{error} Run migrate first, with every app installed.") from error
        self.stdout.write(f"Groups: {', '.join(GROUPS)}.")
