"""The suite's stores and Django, started while pytest reads this file, the first one of ours.

`make test`, `manage.py test` and plain `pytest` are the same thing. With DATABASE_URL, REDIS_URL and
CACHE_URL in the environment nothing is started. pyproject.toml does not name the settings module to
pytest-django, because it would load the settings before this file, that is, before there are stores.
"""

import os
import shutil
import sys

import django
import pytest

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


from django.db import connection
from django.test import TransactionTestCase

# Django empties every table after a test that commits, and then makes all permissions anew: a second each
# time. Emptying only what has rows, and leaving alone what the migrations wrote, takes milliseconds.
EMPTY_TABLES = """
DO $$ DECLARE name text; has_rows boolean; names text[] := '{}'; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN
    ('django_migrations', 'django_content_type', 'auth_permission', 'django_site')
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO has_rows;
    IF has_rows THEN names := names || quote_ident(name); END IF;
  END LOOP;
  IF names <> '{}' THEN EXECUTE 'TRUNCATE ' || array_to_string(names, ', ') || ' CASCADE'; END IF;
END $$
"""


def _empty_tables(_case: TransactionTestCase) -> None:
    with connection.cursor() as cursor:
        cursor.execute(EMPTY_TABLES)


TransactionTestCase._fixture_teardown = _empty_tables  # type: ignore[attr-defined]


CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Let pytest-playwright drive the system's own Chromium; its tests are skipped where there is none."""
    if CHROMIUM is None:
        pytest.skip("No Chromium here: apt-get install chromium")
    return {"executable_path": CHROMIUM, "headless": True, "args": QUIET}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that use pytest-playwright's browser last: until the session ends, its driver runs a loop
    in this very thread, where neither Django's database nor another loop may work."""
    items.sort(key=lambda item: "browser" in getattr(item, "fixturenames", ()))


def pytest_unconfigure() -> None:
    """Stop what was started."""
    _stores.stop()
