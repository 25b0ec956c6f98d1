"""Compare the functions, triggers, table settings and rights in the database with the apps' lists."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor

from ddc.common.postgresql import rights, triggers

_FUNCTIONS = """
    SELECT proname, pg_get_functiondef(pg_proc.oid) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prokind <> 'a'
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""
_STORAGE = "SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname = %s AND "
_RESET = "Before the first release a database is not migrated but created again: `make reset`, then `make demo`."
_EXTRA = "Add it to a list, or drop it."
_HINT = "Look for who changed it, then run `manage.py triggers --install`."


def differences(connection: BaseDatabaseWrapper) -> Iterator[CheckMessage]:
    """Compare the database with the lists of all apps, and name each difference."""
    lists = triggers.every_list()
    yield from _of_functions(connection, list(chain.from_iterable(each.functions for each in lists)))
    yield from _of_triggers(connection, list(chain.from_iterable(each.triggers for each in lists)))
    with connection.cursor() as cursor:
        for storage in chain.from_iterable(each.storage for each in lists):
            cursor.execute(_STORAGE + storage.is_set, [storage.table])
            if not cursor.fetchall():
                yield Error(
                    f"Table {storage.table} is not set up as listed: {storage.create}", hint=_HINT, id="ddc.E204"
                )
    yield from rights.differences(connection)


def _of_functions(connection: BaseDatabaseWrapper, listed: list[triggers.Function]) -> Iterator[CheckMessage]:
    found: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_FUNCTIONS)
        for name, definition in cursor.fetchall():
            found.setdefault(name, []).append(definition)
    for function in listed:
        definitions = found.pop(function.name, [])
        if not definitions:
            yield Error(f"Function {function.name} is missing.", hint=_HINT, id="ddc.E201")
        elif [each.split() for each in definitions] != [function.create.split()]:
            yield Error(f"Function {function.name} differs from its listed text.", hint=_HINT, id="ddc.E202")
    for name in found:
        yield Warning(f"Function {name} is in no app's database_triggers.py.", hint=_EXTRA, id="ddc.W201")


def _of_triggers(connection: BaseDatabaseWrapper, listed: list[triggers.Trigger]) -> Iterator[CheckMessage]:
    found = triggers.installed(connection)
    for trigger in listed:
        what = f"Trigger {trigger.name} on {trigger.table}"
        definition, state = found.pop((trigger.table, trigger.name), ("", ""))
        if not definition:
            yield Error(f"{what} is missing.", hint=_HINT, id="ddc.E201")
        elif not trigger.is_defined_by(definition):
            yield Error(f"{what} differs from its listed definition: {definition}", hint=_HINT, id="ddc.E202")
        elif state != trigger.state:
            yield Error(f"{what} is disabled, or enabled in another way than listed.", hint=_HINT, id="ddc.E203")
    for table, name in found:
        yield Warning(f"Trigger {name} on {table} is in no app's database_triggers.py.", hint=_EXTRA, id="ddc.W201")


@register(Tags.database)
def check_database(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Check a database that has all migrations; one that still waits for some is compared after them."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        executor = MigrationExecutor(connection)
        try:
            executor.loader.check_consistent_history(connection)
        except InconsistentMigrationHistory as error:
            found.append(_other_migrations(str(error)))
            continue
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            missing = _missing_columns(connection)
            found += [_other_migrations(f"It has no {', '.join(missing)}.")] if missing else differences(connection)
    return found


def _other_migrations(reason: str) -> Error:
    text = f"The database was made by other migrations than this version has. {reason}"
    return Error(text, hint=_RESET, id="ddc.E200")


def _missing_columns(connection: BaseDatabaseWrapper) -> list[str]:
    """Before the first release a migration is written again under its old name, which Django takes for applied."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT table_name || '.' || column_name FROM information_schema.columns")
        present = {name for (name,) in cursor.fetchall()}
    models = apps.get_models()
    return sorted({f"{m._meta.db_table}.{f.column}" for m in models for f in m._meta.concrete_fields} - present)
