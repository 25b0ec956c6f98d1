"""Rows that are read, locked and written all day: the SQL is made once, and what belongs together goes in one statement.

The ORM makes SQL anew each time, and objects by a long way, which takes longer than PostgreSQL takes. Signals of models aren't
sent.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.models import CharField, DateField, DecimalField, Model, TextField, UUIDField
from django.db.models.base import ModelState
from django.db.models.expressions import DatabaseDefault

Row = TypeVar("Row", bound=Model)


#: Values that a field of just this kind hands to psycopg as they are; of all others Django makes what their column takes.
_AS_THEY_ARE = {CharField: str, TextField: str, UUIDField: UUID, DecimalField: Decimal, DateField: date}
#: SQL of a row's version: each update makes another, and nothing else does.
VERSION = "xmin::text"


class Changed(Exception):
    """The row is in another version by now, or gone; nothing was written."""


@dataclass(frozen=True)
class Insert:
    """A new row. What PostgreSQL fills in by itself isn't read back."""

    row: Model

    def values(self) -> dict[str, Any]:
        values = {field.attname: field.pre_save(self.row, True) for field in self.row._meta.concrete_fields}
        return {name: value for name, value in values.items() if not isinstance(value, DatabaseDefault)}

    @staticmethod
    def sql(table: str, columns: list[str], where: str = "") -> str:
        return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(['%s'] * len(columns))} {where}"


@dataclass(frozen=True)
class Update:
    """Some fields of a row that is locked, or whose version is known."""

    row: Model
    names: tuple[str, ...]

    def values(self) -> dict[str, Any]:
        model = type(self.row)
        return {name: _field(model, name).pre_save(self.row, False) for name in (*self.names, "id")}

    @staticmethod
    def sql(table: str, columns: list[str], where: str = "") -> str:
        *changed, key = columns
        return f"UPDATE {table} SET {', '.join(f'{column} = %s' for column in changed)} WHERE {key} = %s {where}"  # noqa: S608


Change = Insert | Update
_Shape = tuple[type[Change], type[Model], tuple[str, ...]]


class Wanted(Generic[Row]):
    """Some fields of a model's rows, and of those that its foreign keys lead to; others are fetched when they are asked for."""

    def __init__(self, model: type[Row], *names: str, **parents: "Wanted[Any]") -> None:
        self._model, self._names, self._parents = model, names, parents
        self._readers = [(name, _field(model, name).from_db_value) for name in names if _is_converted(model, name)]

    def having(self, keys: Collection[Any]) -> list[Row]:
        """Return the rows that have these ids, in no order."""
        with connection.cursor() as cursor:
            cursor.execute(self._sql, [list(keys)])
            return [self._made(iter(values)) for values in cursor.fetchall()]

    @cached_property
    def _sql(self) -> str:
        columns, table, joins = self._columns("own"), self._model._meta.db_table, ""
        for name, wanted in self._parents.items():
            columns += wanted._columns(name)
            key = _field(self._model, name).column
            joins += f' LEFT JOIN "{wanted._model._meta.db_table}" AS "{name}" ON "{name}".id = own."{key}"'
        return f'SELECT {", ".join(columns)} FROM "{table}" AS own{joins} WHERE own.id = ANY(%s)'  # noqa: S608

    def _columns(self, table: str) -> list[str]:
        return [f'"{table}"."{_field(self._model, name).column}"' for name in self._names]

    def _made(self, values: Iterator[Any]) -> Row:
        """Make an object of the values that come next, without what Django does for one that is new."""
        row = self._model.__new__(self._model)
        row.__dict__.update(zip(self._names, values))  # noqa: B905 - the parents' values come after these
        row._state = ModelState()
        row._state.adding, row._state.db = False, connection.alias
        for name, read in self._readers:
            row.__dict__[name] = read(row.__dict__[name], None, connection)
        for name, wanted in self._parents.items():
            parent = wanted._made(values)
            row._state.fields_cache[name] = parent if parent.pk else None
        return row


def locked(model: type[Row], keys: Collection[Any]) -> list[Row]:
    """Lock rows until the transaction ends, in the order of their ids, and return them as they are now.

    Inserts that point at them go on meanwhile (``FOR NO KEY UPDATE``).
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("A lock lasts as long as a transaction; there is none.")
    names = [field.attname for field in model._meta.concrete_fields]
    with connection.cursor() as cursor:
        cursor.execute(_locking(model, len(keys)), list(keys))
        return [model.from_db(connection.alias, names, row) for row in cursor.fetchall()]


def write(*changes: Change) -> None:
    """Write changes of different rows in one statement.

    :raises IntegrityError: if the database refuses one of them, and with it all
    """
    _execute(changes, ())


def write_if_unchanged(update: Update, version: str, *inserts: Insert) -> None:
    """Write all of it in one statement if the row to update, which nobody has locked, is still in a version that was read.

    Who is about to write the row is waited for, and then it is in another version. So it is as if the row had been locked since
    it was read. Not for REPEATABLE READ, where it can't be seen what others wrote.

    :raises Changed: if it is in another version
    :raises IntegrityError: if the database refuses a part of it, and with it all
    """
    if not _execute((update, *inserts), (version,)):
        raise Changed


def _execute(changes: Sequence[Change], version: tuple[str, ...]) -> int:
    values = [change.values() for change in changes]
    shape = tuple((type(change), type(change.row), tuple(own)) for change, own in zip(changes, values, strict=True))
    statement, fields = _writing(shape, bool(version))
    plain = [value for own in values for value in own.values()]
    database = connections[DEFAULT_DB_ALIAS]  # Looked up once, which ``connection`` does at each touch.
    params = [
        value if type(value) is as_it_is else field.get_db_prep_save(value, database)
        for (field, as_it_is), value in zip(fields, plain, strict=True)
    ]
    params[len(values[0]) : len(values[0])] = version
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        written: int = cursor.rowcount
    for change in changes:
        change.row._state.adding, change.row._state.db = False, connection.alias
    return written


@lru_cache(maxsize=64)
def _locking(model: type[Model], count: int) -> str:
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    keys = ", ".join(["%s"] * count)
    return f'SELECT {columns} FROM "{model._meta.db_table}" WHERE id IN ({keys}) ORDER BY id FOR NO KEY UPDATE'  # noqa: S608


@lru_cache(maxsize=256)
def _writing(shape: tuple[_Shape, ...], if_unchanged: bool) -> tuple[str, list[tuple[Any, type | None]]]:
    """Return the statement for changes of a shape, and the fields whose values it takes (a version comes after the first's), each
    with the type that it leaves as it is.
    """
    wheres = ["AND xmin = %s RETURNING id"] + ["FROM change_0"] * len(shape) if if_unchanged else [""] * len(shape)
    fields: list[tuple[Any, type | None]] = []
    parts: list[str] = []
    for (change, model, names), where in zip(shape, wheres, strict=False):
        own = [_field(model, name) for name in names]
        parts.append(change.sql(f'"{model._meta.db_table}"', [f'"{field.column}"' for field in own], where))
        # A foreign key would look up each time what it points at, whose values it has.
        targets = [getattr(field, "target_field", field) for field in own]
        fields += [(field, _AS_THEY_ARE.get(type(field))) for field in targets]
    *beside, last = parts
    named = ", ".join(f"change_{number} AS ({sql})" for number, sql in enumerate(beside))
    return f"WITH {named} {last}" if named else last, fields


def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)


def _is_converted(model: type[Model], name: str) -> bool:
    return hasattr(_field(model, name), "from_db_value")
