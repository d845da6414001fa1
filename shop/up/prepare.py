"""`python -m shop.up.prepare`: bring the database, the static files and the demo shop up to date.

One process for all of it, because starting Django takes longer than most of these steps. What the commands
say goes to the log (stderr); the terminal hears the name of each step.
"""

import sys

import django
from django.conf import settings
from django.core.management import call_command

from .messages import step


def main() -> None:
    """Run the steps; each is safe to run again."""
    django.setup()
    with step("preparing the database"):
        call_command("migrate", interactive=False, stdout=sys.stderr, no_color=True)
        call_command("setup_groups", stdout=sys.stderr, no_color=True)
    if not settings.DEBUG:
        with step("collecting the static files"):
            call_command("collectstatic", interactive=False, verbosity=0, stdout=sys.stderr, no_color=True)
        return
    with step("setting up the demo shop"):
        call_command("seed_demo", stdout=sys.stderr, no_color=True)
        call_command("demo", if_none=True, opens_in=0, stdout=sys.stderr, no_color=True)


if __name__ == "__main__":
    main()
