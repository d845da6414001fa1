"""What a run leaves in its data folder for other terminals."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from shop.up import state
from shop.up.messages import Trouble

FOUND = {"DATABASE_URL": "postgres://shop@127.0.0.1:1/shop", "PORT": "8123"}


@pytest.fixture
def lock(folder: Path) -> Iterator[state.Lock]:
    """The lock of a run that is alive."""
    taken = state.Lock(folder)
    taken.take()
    yield taken
    taken.release()


@pytest.fixture
def elsewhere(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A second terminal that knows the data folder and nothing else."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setenv("DATA_DIR", str(folder))
    return folder


@pytest.mark.usefixtures("lock")
def test_a_second_run_in_the_same_folder_is_refused(folder: Path) -> None:
    with pytest.raises(
        Trouble, match=f"^Another run uses {folder}: stop it, or choose another folder and port"
    ):
        state.Lock(folder).take()


@pytest.mark.usefixtures("lock")
def test_a_running_shop_is_found_by_its_folder(folder: Path) -> None:
    state.write_state(folder, environment=FOUND, pids={})
    assert state.running_environment(folder) == FOUND


def test_what_a_dead_shop_left_is_not_believed(folder: Path) -> None:
    state.write_state(folder, environment=FOUND, pids={})
    assert state.running_environment(folder) == {}


def test_what_a_run_tells_is_for_its_owner_only(folder: Path) -> None:
    state.write_state(folder, environment=FOUND, pids={})
    state.secret(folder, "secret-key")
    assert (folder / "run.json").stat().st_mode & 0o777 == 0o600
    assert (folder / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_secret_is_made_once(folder: Path) -> None:
    first = state.secret(folder, "secret-key")
    assert len(first) == 64
    assert state.secret(folder, "secret-key") == first


def test_manage_py_says_what_to_start(elsewhere: Path) -> None:
    with pytest.raises(SystemExit) as told:
        state.require_stores(["manage.py", "migrate"])
    assert str(told.value.code) == (
        f"No shop is running in {elsewhere}: start it with `make run` in another terminal, "
        "or set DATABASE_URL and REDIS_URL to stores of your own."
    )


@pytest.mark.usefixtures("lock")
def test_manage_py_takes_over_the_stores_of_the_running_shop(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"DATA_DIR": str(elsewhere), "PORT": "9000"})
    state.write_state(elsewhere, environment=FOUND, pids={})
    state.require_stores(["manage.py", "migrate"])
    assert os.environ["DATABASE_URL"] == FOUND["DATABASE_URL"]
    assert os.environ["PORT"] == "9000"


@pytest.mark.parametrize("arguments", [["test"], ["help"], [], ["migrate", "--help"]])
def test_some_commands_need_no_store(elsewhere: Path, arguments: list[str]) -> None:
    state.require_stores(["manage.py", *arguments])
    assert "DATABASE_URL" not in os.environ
