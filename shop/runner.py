"""`manage.py test`: the same suite as `make test`, run by pytest."""

import os
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

# The suite starts stores of its own, and reads the settings only after that.
NOT_FOR_TESTS = {"DJANGO_SETTINGS_MODULE", "DATABASE_URL", "REDIS_URL", "CACHE_URL", "CELERY_BROKER_URL"}


class PytestRunner:
    """Django's test runner that hands over to pytest in a process of its own.

    Of its own, because the suite starts stores and Django's settings must be read after that.
    """

    def __init__(self, **options: Any) -> None:
        self.arguments = _arguments(options)

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Add the options people reach for; whatever stands after `--` goes to pytest as it is."""
        parser.add_argument("-k", dest="keyword", help="Only tests whose names match this expression.")
        parser.add_argument("-m", dest="marker", help="Only tests with this marker.")
        parser.add_argument("-x", "--failfast", action="store_true", help="Stop at the first failure.")
        parser.add_argument("--keepdb", action="store_true", help="Keep the test database between runs.")

    def run_tests(self, test_labels: list[str], **_: Any) -> int:
        """Run pytest on labels (paths or dotted names) and return its exit code."""
        command = [sys.executable, "-m", "pytest", *self.arguments, *(_path(label) for label in test_labels)]
        environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_TESTS}
        return subprocess.call(command, env=environment)


def _arguments(options: dict[str, Any]) -> list[str]:
    given = ["-x"] if options.get("failfast") else []
    given += ["--reuse-db"] if options.get("keepdb") else []
    for flag, name in (("-k", "keyword"), ("-m", "marker")):
        if options.get(name):
            given += [flag, options[name]]
    verbosity = options.get("verbosity", 1)
    return given + (["-v"] * (verbosity - 1) if verbosity > 1 else ["-q"] * (1 - verbosity))


def _path(label: str) -> str:
    """Turn `shop.catalogue.tests.test_search` into the path pytest wants; leave paths and options alone."""
    path = Path(label.replace(".", "/"))
    if label.startswith("-") or Path(label.partition("::")[0]).exists():
        return label
    if path.is_dir():
        return str(path)
    return str(path.with_suffix(".py")) if path.with_suffix(".py").exists() else label
