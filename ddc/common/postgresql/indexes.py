"""Migration operations that create and drop indexes of a running site, and that can run again after an interruption."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres import operations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor
from django.db.migrations.state import ProjectState as State

_CREATE = re.compile(r'\s*CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS "?(\w+)"?')


class AddIndexConcurrently(operations.AddIndexConcurrently):
    """Create an index, unless it exists."""

    def database_forwards(self, app_label: str, schema_editor: Editor, from_state: State, to_state: State) -> None:
        """Create the index."""
        _change(self, app_label, schema_editor, to_state, add=True)

    def database_backwards(self, app_label: str, schema_editor: Editor, from_state: State, to_state: State) -> None:
        """Drop the index."""
        _change(self, app_label, schema_editor, from_state, add=False)


class RemoveIndexConcurrently(operations.RemoveIndexConcurrently):
    """Drop an index, if it exists."""

    def database_forwards(self, app_label: str, schema_editor: Editor, from_state: State, to_state: State) -> None:
        """Drop the index."""
        _change(self, app_label, schema_editor, from_state, add=False)

    def database_backwards(self, app_label: str, schema_editor: Editor, from_state: State, to_state: State) -> None:
        """Create the index again."""
        _change(self, app_label, schema_editor, to_state, add=True)


def _change(operation: Any, app_label: str, editor: Editor, state: State, *, add: bool) -> None:
    operation._ensure_not_in_transaction(editor)
    model = state.apps.get_model(app_label, operation.model_name)
    if not operation.allow_migrate_model(editor.connection.alias, model):
        return
    name = operation.index.name if hasattr(operation, "index") else operation.name
    index: Any = state.models[app_label, operation.model_name_lower].get_index_by_name(name)
    if add:
        create = str(index.create_sql(model, editor, concurrently=True))
        _run(editor, create.replace("INDEX CONCURRENTLY", "INDEX CONCURRENTLY IF NOT EXISTS", 1))
    else:
        _run(editor, str(index.remove_sql(model, editor, concurrently=True)))  # Django's statement has IF EXISTS.


def _run(editor: Editor, sql: str) -> None:
    with _without_lock_timeout(editor):
        create = _CREATE.match(sql)
        if create and not editor.collect_sql and _is_invalid(editor, create[1]):
            editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {editor.quote_name(create[1])}")
        editor.execute(sql, params=None)


@contextmanager
def _without_lock_timeout(editor: Editor) -> Iterator[None]:
    """Let the statement wait for every older transaction that writes to the table.

    It blocks no other statement while it waits. Interrupted by ``lock_timeout``, it would leave an invalid index, which every
    write maintains and no read uses.
    """
    editor.execute("SET lock_timeout = 0")
    try:
        yield
    finally:
        editor.execute("RESET lock_timeout")


def _is_invalid(editor: Editor, name: str) -> bool:
    """Return whether an interrupted statement left the index invalid."""
    query = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"
    with editor.connection.cursor() as cursor:
        cursor.execute(query, [editor.quote_name(name)])
        return cursor.fetchone() is not None
