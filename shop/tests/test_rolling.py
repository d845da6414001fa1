"""Migrations under load: what the rule lets through costs the old code nothing, and what it refuses would."""

from collections.abc import Callable, Iterator
from contextlib import closing
from threading import Event, Thread
from typing import Any

import psycopg2
import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.db.migrations import Migration, operations
from django.db.migrations.state import ModelState, ProjectState

from shop import rolling

Fields = list[tuple[str, "models.Field[Any, Any]"]]


def migration(*steps: operations.base.Operation) -> Migration:
    class Next(Migration):
        operations = list(steps)

    return Next("0002_next", "shop")


@pytest.mark.parametrize(
    "step",
    [
        operations.AddField("thing", "note", models.TextField(null=True)),
        operations.AddField("thing", "note", models.TextField(db_default="")),
        operations.CreateModel("other", [("id", models.BigAutoField(primary_key=True))]),
        AddIndexConcurrently("thing", models.Index(fields=["name"], name="thing_name")),
    ],
)
def test_what_the_old_code_does_not_feel_is_let_through(step: operations.base.Operation) -> None:
    assert list(rolling.faults(migration(step))) == []


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (operations.AddField("thing", "note", models.TextField(default="")), "give it db_default"),
        (operations.RemoveField("thing", "name"), "Remove field name from thing"),
        (operations.RenameField("thing", "name", "title"), "Rename field name on thing"),
        (operations.DeleteModel("thing"), "Delete model thing"),
        (
            operations.AddIndex("thing", models.Index(fields=["name"], name="thing_name")),
            "AddIndexConcurrently",
        ),
        (operations.AlterField("thing", "name", models.CharField(max_length=3)), "Alter field name on thing"),
    ],
)
def test_what_it_would_feel_is_named(step: operations.base.Operation, said: str) -> None:
    (fault,) = rolling.faults(migration(step))
    assert said in fault


def test_a_table_that_is_new_may_have_everything_at_once() -> None:
    fields: Fields = [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
    index = operations.AddIndex("other", models.Index(fields=["name"], name="other_name"))
    assert list(rolling.faults(migration(operations.CreateModel("Other", fields), index))) == []


@pytest.fixture
def things(transactional_db: None) -> Iterator[ProjectState]:
    """A table in use: the state that a migration starts from."""
    state = ProjectState()
    fields: Fields = [("id", models.BigAutoField(primary_key=True)), ("name", models.TextField())]
    state.add_model(ModelState("shop", "Thing", fields, options={"db_table": "things"}))
    with connection.schema_editor() as editor:
        editor.create_model(state.apps.get_model("shop", "Thing"))
    yield state
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE things")


def under_load(run: Callable[[], None]) -> tuple[int, list[str]]:
    """Run something while the old code inserts and reads; return its rows and what went wrong for it."""
    is_over, rows, wrong = Event(), [0], list[str]()
    parameters = connection.get_connection_params()
    wanted = {
        name: parameters[name]
        for name in ("dbname", "user", "host", "port", "password")
        if name in parameters
    }

    def old_code() -> None:
        with closing(psycopg2.connect(**wanted)) as line, line.cursor() as cursor:
            line.autocommit = True
            cursor.execute("SET lock_timeout = '2s'")
            while not is_over.is_set():
                try:
                    cursor.execute("INSERT INTO things (name) VALUES ('x') RETURNING id, name")
                    rows[0] += 1
                except psycopg2.Error as error:
                    wrong.append(str(error))

    thread = Thread(target=old_code)
    thread.start()
    try:
        while not rows[0]:
            pass
        run()
        before = rows[0] + len(wrong)
        while rows[0] + len(wrong) < before + 50:
            pass
    finally:
        is_over.set()
        thread.join()
    return rows[0], wrong


def migrate(state: ProjectState, step: operations.base.Operation) -> None:
    """Run one operation as `migrate` does."""
    after = state.clone()
    step.state_forwards("shop", after)
    with connection.schema_editor(
        atomic=step.atomic is not False and not isinstance(step, AddIndexConcurrently)
    ) as editor:
        step.database_forwards("shop", editor, state, after)


@pytest.mark.parametrize(
    "step",
    [
        operations.AddField("thing", "note", models.TextField(null=True)),
        operations.AddField("thing", "note", models.TextField(db_default="")),
        AddIndexConcurrently("thing", models.Index(fields=["name"], name="thing_name")),
    ],
)
def test_while_it_runs_and_afterwards_the_old_code_goes_on(
    things: ProjectState, step: operations.base.Operation
) -> None:
    rows, wrong = under_load(lambda: migrate(things, step))
    assert wrong == []
    assert rows >= 50


def test_the_control_a_column_without_a_default_in_the_database_stops_the_old_code(
    things: ProjectState,
) -> None:
    _, wrong = under_load(
        lambda: migrate(things, operations.AddField("thing", "note", models.TextField(default="")))
    )
    assert len(wrong) >= 50
    assert 'null value in column "note"' in wrong[0]


@pytest.mark.django_db
def test_the_command_refuses_and_names_what_it_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("rollable")
    assert capsys.readouterr().out == "0 pending migrations\n"
    step = operations.RemoveField("thing", "name")
    monkeypatch.setattr(rolling, "pending", lambda: [migration(step)])
    with pytest.raises(CommandError, match="split them over two releases"):
        call_command("rollable")
    assert "shop.0002_next: Remove field name from thing" in capsys.readouterr().err
    call_command("rollable", pause=True)
