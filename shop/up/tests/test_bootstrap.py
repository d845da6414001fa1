"""The second start installs nothing; changed pins install again."""

from pathlib import Path

import pytest

from shop.up import bootstrap


@pytest.fixture
def checkout(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with pins and an environment that has a Python, and nothing installed."""
    monkeypatch.setattr(bootstrap, "ROOT", folder)
    monkeypatch.setattr(bootstrap, "VENV", folder / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", folder / ".venv" / "python")
    monkeypatch.setattr(bootstrap, "LOG", folder / ".venv" / "install.log")
    (folder / ".venv").mkdir()
    (folder / ".venv" / "python").touch()
    (folder / "requirements.txt").write_text("django==5.2.19\n")
    (folder / "requirements-dev.txt").write_text("django==5.2.19\npytest==9.2.0\n")
    return folder


def test_an_unstamped_environment_is_not_installed(checkout: Path) -> None:
    assert checkout.exists()
    assert not bootstrap.is_installed("run")


@pytest.mark.usefixtures("checkout")
def test_the_larger_set_contains_the_smaller_one() -> None:
    bootstrap.stamp("dev").write_text(bootstrap.fingerprint("dev"))
    assert bootstrap.is_installed("run")
    bootstrap.stamp("dev").unlink()
    bootstrap.stamp("run").write_text(bootstrap.fingerprint("run"))
    assert bootstrap.is_installed("run")
    assert not bootstrap.is_installed("dev")


def test_changed_pins_are_installed_again(checkout: Path) -> None:
    bootstrap.stamp("run").write_text(bootstrap.fingerprint("run"))
    (checkout / "requirements.txt").write_text("django==5.2.20\n")
    assert not bootstrap.is_installed("run")


def test_a_missing_index_is_told_with_its_remedy(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "make_venv", lambda: None)
    monkeypatch.setattr(bootstrap, "has_uv", lambda: False)
    monkeypatch.setattr(bootstrap, "call", lambda _what, _command: False)
    bootstrap.LOG.write_text("Looking in indexes\nERROR: No matching distribution found for django\n")
    with pytest.raises(SystemExit) as told:
        bootstrap.install("run")
    assert str(told.value) == (
        "The packages of requirements.txt could not be installed: ERROR: No matching distribution found for "
        "django. Check that this machine reaches the package index (PIP_INDEX_URL names another one), "
        f"then try again; all of it is in {checkout / '.venv' / 'install.log'}."
    )
    assert not bootstrap.is_installed("run")
