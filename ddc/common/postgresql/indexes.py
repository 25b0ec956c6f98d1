"""Indexes made and dropped while a site is at work, by migrations that can be run again wherever they were cut short."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres import operations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor as Editor
from django.db.migrations.state import ProjectState as State

_MAKING = re.compile(r'\s*CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS "?(\w+)"?')


class AddIndexConcurrently(operations.AddIndexConcurrently):
    """Make an index, unless it is there."""

    def database_forwards(self, app_label: str, schema_editor: Editor, from_state: State, to_state: State) -> None:
        """Make it."""
        _change(self, app_label, schema_editor, to_state, add=True)

    def database_backwards(self, app_label: str, schema_editor: Editor, from_state: State, to_state: State) -> None:
        """Drop it."""
        _change(self, app_label, schema_editor, from_state, add=False)


class RemoveIndexConcurrently(operations.RemoveIndexConcurrently):
    """Drop an index, if it is there."""

    def database_forwards(self, app_label: str, schema_editor: Editor, from_state: State, to_state: State) -> None:
        """Drop it."""
        _change(self, app_label, schema_editor, from_state, add=False)

    def database_backwards(self, app_label: str, schema_editor: Editor, from_state: State, to_state: State) -> None:
        """Make it again."""
        _change(self, app_label, schema_editor, to_state, add=True)


def _change(operation: Any, app_label: str, editor: Editor, state: State, *, add: bool) -> None:
    operation._ensure_not_in_transaction(editor)
    model = state.apps.get_model(app_label, operation.model_name)
    if not operation.allow_migrate_model(editor.connection.alias, model):
        return
    name = operation.index.name if hasattr(operation, "index") else operation.name
    index: Any = state.models[app_label, operation.model_name_lower].get_index_by_name(name)
    if add:
        made = str(index.create_sql(model, editor, concurrently=True))
        _run(editor, made.replace("INDEX CONCURRENTLY", "INDEX CONCURRENTLY IF NOT EXISTS", 1))
    else:
        _run(editor, str(index.remove_sql(model, editor, concurrently=True)))  # Django's own says IF EXISTS.


def _run(editor: Editor, sql: str) -> None:
    with _without_haste(editor):
        made = _MAKING.match(sql)
        if made and not editor.collect_sql and _is_invalid(editor, made[1]):
            editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {editor.quote_name(made[1])}")
        editor.execute(sql, params=None)


@contextmanager
def _without_haste(editor: Editor) -> Iterator[None]:
    """Wait for as long as it takes.

    Such a statement waits for every older transaction that writes to the table, and holds nobody up meanwhile. Cut short by the
    connection's lock_timeout, it would leave half an index: written to by all and read by none.
    """
    editor.execute("SET lock_timeout = 0")
    try:
        yield
    finally:
        editor.execute("RESET lock_timeout")


def _is_invalid(editor: Editor, name: str) -> bool:
    """Tell whether something of before was cut short and left the index half made."""
    query = "SELECT 1 FROM pg_index WHERE indexrelid = to_regclass(%s) AND NOT indisvalid"
    with editor.connection.cursor() as cursor:
        cursor.execute(query, [editor.quote_name(name)])
        return cursor.fetchone() is not None
