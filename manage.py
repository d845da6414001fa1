#!/usr/bin/env python
"""Django's command line for the shop."""

import os
import sys


def main() -> None:
    """Run a management command; `test` starts its own stores, others use those of the running shop."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
    try:
        from django.conf import settings
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is not installed here. Type `make run` once, then use .venv/bin/python manage.py.")
    from shop.up.state import require_stores

    require_stores(sys.argv)
    try:
        hasattr(settings, "DEBUG")  # reads them all
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
