"""`manage.py reset_second_step EMAIL`: for somebody who lost both the app and the recovery codes."""

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import second_step
from accounts.models import User


class Command(BaseCommand):
    help = "Forget the second step of one account; its password alone opens it then. Ask first who is asking."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the account."""
        parser.add_argument("email", help="the account's e-mail address")

    def handle(self, *, email: str, **_options: object) -> None:
        """Say what was done."""
        try:
            was_set_up = second_step.reset(email=email)
        except User.DoesNotExist as error:
            raise CommandError(f"There is no account {email}.") from error
        self.stdout.write(
            f"{email} has no second step now." if was_set_up else f"{email} had no second step."
        )
