"""Migrations that may run while the code of the release before still answers.

A rolling deploy migrates first and replaces the processes afterwards, so for minutes the old code meets the
new tables. It inserts rows without the new columns, reads the columns it knows, and waits for no lock.
"""

from collections.abc import Iterator

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import connection
from django.db.migrations import Migration, operations
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation
from django.db.models import NOT_PROVIDED, Field

HARMLESS = (
    operations.CreateModel,
    operations.RunPython,  # what it does to rows its author answers for; no table is changed by it
    operations.AlterModelOptions,
    operations.AlterModelManagers,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
)


def pending() -> list[Migration]:
    """Return the migrations that this database has not seen; none for an empty one, where no code runs."""
    executor = MigrationExecutor(connection)
    if not executor.loader.applied_migrations:
        return []
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [migration for migration, _backwards in plan]


def faults(migration: Migration) -> Iterator[str]:
    """Tell what in a migration the old code, or whoever waits for a table, would feel."""
    made = {one.name.lower() for one in migration.operations if isinstance(one, operations.CreateModel)}
    for operation in migration.operations:
        if getattr(operation, "model_name", "").lower() not in made:
            yield from _faults(operation)


def _faults(operation: Operation) -> Iterator[str]:
    if isinstance(operation, HARMLESS):
        return
    if isinstance(operation, operations.AddField):
        if not _old_code_may_leave_out(operation.field):
            yield f"{operation.model_name}.{operation.name} is new: give it db_default, or let it be null."
    elif isinstance(operation, operations.AddIndex):
        yield f"The index {operation.index.name} locks its table: use AddIndexConcurrently."
    elif isinstance(operation, operations.SeparateDatabaseAndState):
        for one in operation.database_operations:
            yield from _faults(one)
    else:
        yield f"{operation.describe()}: do it one release after the code stopped to need what was."


def _old_code_may_leave_out(field: "Field[object, object]") -> bool:
    """Whether an INSERT that does not name the column works; many-to-many fields are tables of their own."""
    return field.null or field.many_to_many or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
