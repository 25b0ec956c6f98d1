"""Rows that are locked and written all day long: the SQL is made once, and what belongs together goes in one statement.

The ORM makes the SQL of each row anew, which takes longer than PostgreSQL takes to run it. Signals of models aren't sent.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Model
from django.db.models.expressions import DatabaseDefault

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Insert:
    """A new row. What PostgreSQL fills in by itself isn't read back."""

    row: Model

    def values(self) -> dict[str, Any]:
        values = {field.attname: field.pre_save(self.row, True) for field in self.row._meta.concrete_fields}
        return {name: value for name, value in values.items() if not isinstance(value, DatabaseDefault)}

    @staticmethod
    def sql(table: str, columns: list[str]) -> str:
        return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})"  # noqa: S608


@dataclass(frozen=True)
class Update:
    """Some fields of a row that is locked."""

    row: Model
    names: tuple[str, ...]

    def values(self) -> dict[str, Any]:
        model = type(self.row)
        return {name: _field(model, name).pre_save(self.row, False) for name in (*self.names, "id")}

    @staticmethod
    def sql(table: str, columns: list[str]) -> str:
        *changed, key = columns
        return f"UPDATE {table} SET {', '.join(f'{column} = %s' for column in changed)} WHERE {key} = %s"  # noqa: S608


Change = Insert | Update


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
    values = [change.values() for change in changes]
    statement, fields = _writing(
        tuple((type(change), type(change.row), tuple(own)) for change, own in zip(changes, values, strict=True))
    )
    plain = [value for own in values for value in own.values()]
    params = [field.get_db_prep_save(value, connection) for field, value in zip(fields, plain, strict=True)]
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
    for change in changes:
        change.row._state.adding, change.row._state.db = False, connection.alias


@lru_cache(maxsize=64)
def _locking(model: type[Model], count: int) -> str:
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    keys = ", ".join(["%s"] * count)
    return f'SELECT {columns} FROM "{model._meta.db_table}" WHERE id IN ({keys}) ORDER BY id FOR NO KEY UPDATE'  # noqa: S608


@lru_cache(maxsize=256)
def _writing(shape: tuple[tuple[type[Change], type[Model], tuple[str, ...]], ...]) -> tuple[str, list[Any]]:
    """Return the statement for changes of a shape, and the fields whose values it takes."""
    fields: list[Any] = []
    parts: list[str] = []
    for change, model, names in shape:
        own = [_field(model, name) for name in names]
        parts.append(change.sql(f'"{model._meta.db_table}"', [f'"{field.column}"' for field in own]))
        fields += own
    *beside, last = parts
    named = ", ".join(f"change_{number} AS ({sql})" for number, sql in enumerate(beside))
    return f"WITH {named} {last}" if named else last, fields


def _field(model: type[Model], name: str) -> Any:
    return model._meta.get_field(name)
