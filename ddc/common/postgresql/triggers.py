"""Install the database functions, triggers and table settings that each app lists in its ``database_triggers.py``.

An app's ``database_triggers.py`` has up to four lists: ``FUNCTIONS``, ``TRIGGERS``, ``STORAGE`` and ``RIGHTS``. Read them there;
``manage.py triggers`` prints them, and ``manage.py triggers --check`` compares them with the database. ``RIGHTS`` is for
``ddc/common/postgresql/rights.py``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db import DatabaseError, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.utils.module_loading import module_has_submodule
from psycopg.errors import DependentObjectsStillExist, UndefinedColumn, UndefinedTable

#: A table that a session makes in pg_temp must not stand in for one of ours, whatever the session's own search_path.
SEARCH_PATH = "SET search_path TO 'pg_catalog', 'public', 'pg_temp'"

_INSTALLED = """
    SELECT relname, tgname, pg_get_triggerdef(pg_trigger.oid), tgenabled::text
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal
"""


@dataclass(frozen=True)
class Function:
    """A function in the schema ``public``.

    ``as_owner``: it runs with the rights of its owner and only as a trigger, because the product may not call it.
    """

    name: str
    body: str
    why: str
    arguments: str = ""
    returns: str = "trigger"
    language: str = "plpgsql"
    options: str = SEARCH_PATH
    as_owner: bool = False

    @property
    def create(self) -> str:
        options = f"SECURITY DEFINER\n {self.options}" if self.as_owner else self.options
        return (
            f"CREATE OR REPLACE FUNCTION public.{self.name}({self.arguments})\n RETURNS {self.returns}\n"
            f" LANGUAGE {self.language}\n {options}\nAS $function${self.body}$function$\n"
        )

    @property
    def drop(self) -> str:
        return f"DROP FUNCTION IF EXISTS public.{self.name}"


@dataclass(frozen=True)
class Trigger:
    """A trigger on a table, written in the order and form in which PostgreSQL prints it.

    ``always``: it also fires in a session with ``session_replication_role = replica``, such as a bulk load.
    """

    name: str
    table: str
    event: str
    function: str
    why: str
    arguments: Sequence[str] = ()
    rows: str = ""
    each: str = "ROW"
    when: str = ""
    deferred: bool = False
    always: bool = False

    @property
    def _on(self) -> str:
        """Return the table's name as PostgreSQL prints it: in quotes if it has capital letters."""
        return f"public.{self.table}" if self.table.islower() else f'public."{self.table}"'

    @property
    def create(self) -> str:
        values = ", ".join("'" + value.replace("'", "''") + "'" for value in self.arguments)
        parts = [
            f"CREATE {'CONSTRAINT ' if self.deferred else ''}TRIGGER {self.name} {self.event} ON {self._on}",
            "DEFERRABLE INITIALLY DEFERRED" if self.deferred else "",
            f"REFERENCING {self.rows}" if self.rows else "",
            f"FOR EACH {self.each}",
            f"WHEN ({self.when})" if self.when else "",
            f"EXECUTE FUNCTION {self.function}({values})",
        ]
        return " ".join(part for part in parts if part)

    @property
    def drop(self) -> str:
        return f"DROP TRIGGER IF EXISTS {self.name} ON {self._on}"

    @property
    def enable(self) -> str:
        return f"ALTER TABLE {self._on} ENABLE {'ALWAYS ' if self.always else ''}TRIGGER {self.name}"

    @property
    def state(self) -> str:
        """Return what pg_trigger.tgenabled has to be."""
        return "A" if self.always else "O"

    def is_defined_by(self, definition: str) -> bool:
        """Compare with a definition that PostgreSQL printed; it adds the schema, casts and parentheses."""
        return _plain(definition) == _plain(self.create)


def _plain(definition: str) -> str:
    return re.sub(r"public\.|::text|[\s()]", "", definition).lower()


@dataclass(frozen=True)
class Storage:
    """A table without a model, or a table's setting that a model cannot express.

    ``is_set``: a condition on the table's row in ``pg_class``.
    """

    table: str
    create: str
    drop: str
    why: str
    is_set: str = "true"


@dataclass(frozen=True)
class Right:
    """What the product's role needs on a table, where that is less than to read and write rows."""

    table: str
    granted: Sequence[str]
    why: str


@dataclass(frozen=True)
class Listed:
    """The lists of one app."""

    functions: Sequence[Function] = ()
    triggers: Sequence[Trigger] = ()
    storage: Sequence[Storage] = ()
    rights: Sequence[Right] = ()


def listed(label: str) -> Listed:
    """Return the lists of an app's ``database_triggers.py``; they are empty where it has none."""
    config = apps.get_app_config(label)
    if not module_has_submodule(config.module, "database_triggers"):
        return Listed()
    module = import_module(f"{config.name}.database_triggers")
    return Listed(*(getattr(module, name, ()) for name in ("FUNCTIONS", "TRIGGERS", "STORAGE", "RIGHTS")))


def every_list() -> list[Listed]:
    """Return the lists of all apps, in the order of INSTALLED_APPS."""
    return [listed(config.label) for config in apps.get_app_configs()]


def installed(connection: BaseDatabaseWrapper) -> dict[tuple[str, str], tuple[str, str]]:
    """Return definition and state of each trigger in the database, by table and name."""
    with connection.cursor() as cursor:
        cursor.execute(_INSTALLED)
        return {(table, name): (definition, state) for table, name, definition, state in cursor.fetchall()}


def install(label: str, editor: BaseDatabaseSchemaEditor) -> None:
    """Create an app's tables, settings, functions and triggers. Replace what differs from the lists.

    A trigger on a table or column that a later migration adds is left to that migration, which installs the lists again.
    """
    lists, found = listed(label), installed(editor.connection)
    for statement in [*(each.create for each in lists.storage), *(each.create for each in lists.functions)]:
        _attempt(editor, statement)
    for trigger in lists.triggers:
        definition, state = found.get((trigger.table, trigger.name), ("", ""))
        if not trigger.is_defined_by(definition) or state != trigger.state:
            _attempt(editor, trigger.drop, trigger.create, trigger.enable)


def remove(label: str, editor: BaseDatabaseSchemaEditor) -> None:
    """Drop what ``install`` made; keep a function that a table still uses, which an earlier migration made."""
    lists = listed(label)
    for group in (lists.triggers, lists.functions, lists.storage):
        for each in group:
            _attempt(editor, each.drop)


def _attempt(editor: BaseDatabaseSchemaEditor, *statements: str) -> None:
    try:
        with transaction.atomic(using=editor.connection.alias):
            for statement in statements:
                editor.execute(statement, params=None)
    except DatabaseError as error:
        if not isinstance(error.__cause__, (UndefinedTable, UndefinedColumn, DependentObjectsStillExist)):
            raise


class InstallTriggers(Operation):
    """Install an app's lists; backwards, remove them."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, label: str) -> None:
        self.label = label

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the state of the models as it is."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        install(self.label, schema_editor)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        remove(self.label, schema_editor)

    def describe(self) -> str:
        return f"Install the functions, triggers and table settings of {self.label}"
