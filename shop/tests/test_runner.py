"""`manage.py test` hands over to pytest."""

import subprocess

import pytest

from shop.runner import PytestRunner


@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What pytest would have been called with, and the settings it would have seen."""
    calls: list[list[str]] = []

    def call(command: list[str], env: dict[str, str]) -> int:
        calls.append([*command[3:], *sorted({"DATABASE_URL", "DJANGO_SETTINGS_MODULE"} & env.keys())])
        return 3

    monkeypatch.setattr(subprocess, "call", call)
    return calls


@pytest.mark.parametrize(
    ("label", "path"),
    [
        ("flashsale", "flashsale"),
        ("shop.tests.test_runner", "shop/tests/test_runner.py"),
        ("shop/tests/test_runner.py", "shop/tests/test_runner.py"),
        ("--lf", "--lf"),
    ],
)
def test_labels_become_paths(handed_over: list[list[str]], label: str, path: str) -> None:
    PytestRunner().run_tests([label])
    assert handed_over == [[path]]


def test_options_become_pytests_own(handed_over: list[list[str]]) -> None:
    PytestRunner(failfast=True, keepdb=True, keyword="race", marker="not slow", verbosity=2).run_tests([])
    assert handed_over == [["-x", "--reuse-db", "-k", "race", "-m", "not slow", "-v"]]


@pytest.mark.usefixtures("handed_over")
def test_the_exit_code_is_pytests() -> None:
    assert PytestRunner().run_tests([]) == 3
