"""The suite's stores and Django, started while pytest reads this file, the first one of ours.

`make test`, `manage.py test` and plain `pytest` are the same thing. With DATABASE_URL, REDIS_URL and
CACHE_URL in the environment nothing is started. pyproject.toml does not name the settings module to
pytest-django, because it would load the settings before this file, that is, before there are stores.
"""

import os
import sys

import django

from shop.up.messages import Trouble
from shop.up.teststores import TestStores

_stores = TestStores()
try:
    _stores.start()
except Trouble as trouble:
    _stores.stop()
    sys.exit(str(trouble))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
django.setup()


def pytest_unconfigure() -> None:
    """Stop what was started."""
    _stores.stop()
