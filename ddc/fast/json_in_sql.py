"""SQL that writes rows as JSON in the shape of a serializer.

Creating a model instance per row costs more than finding the row. The select list is made from the serializer's fields, so the
serializer stays the one description of the shape. A test compares the two answers byte by byte.
"""

from collections import defaultdict
from typing import Any

from rest_framework import serializers

from ddc.common.api.fields import DecimalField, MoneyField, ReferenceField, TimeField
from ddc.common.api.serializers import CamelSerializer, writer
from ddc.common.reference.currencies import DECIMALS

Field = serializers.Field[Any, Any, Any, Any]

_USUAL_DECIMALS = 2


def columns(serializer: type[CamelSerializer], table: str, **more: str) -> str:
    """Return the select list that gives a row of ``table`` the shape of the serializer's answer.

    ``more`` holds the SQL of fields that are not columns of the table, by their names in the answer. Fields that only Python can
    compute are null.
    """
    fields = writer(serializer).fields
    expressions = {
        name: more.get(name) or _expression(field, table) for name, field in fields.items() if not field.write_only
    }
    return ", ".join(f'{sql} AS "{name}"' for name, sql in expressions.items())


def row(serializer: type[CamelSerializer], table: str, **more: str) -> str:
    """Return the SQL that writes one joined row of ``table`` as an object; null where the join found none."""
    shown = f"(SELECT row_to_json(shown) FROM (SELECT {columns(serializer, table, **more)}) AS shown)"
    return f"CASE WHEN {table}.id IS NOT NULL THEN {shown} END"


def rows(select: str) -> str:
    """Return the SQL that writes the rows of an ordered query as an array, without spaces."""
    return f"(SELECT '[' || coalesce(string_agg(row_to_json(shown)::text, ','), '') || ']' FROM ({select}) AS shown)"


def amount(sql: str, currency: str) -> str:
    """Return the SQL that writes an amount as ``money.text`` does, with the currency's own number of decimals."""
    by_decimals: dict[int, list[str]] = defaultdict(list)
    for code, decimals in DECIMALS.items():
        if decimals != _USUAL_DECIMALS:
            by_decimals[decimals].append(code)
    unusual = [code for codes in by_decimals.values() for code in codes]
    # The usual case first: the comparisons are a noticeable part of a page.
    cases = [f"WHEN {currency} NOT IN ({_literals(unusual)}) THEN round({sql}, {_USUAL_DECIMALS})"]
    cases += [
        f"WHEN {currency} IN ({_literals(codes)}) THEN round({sql}, {decimals})"
        for decimals, codes in by_decimals.items()
    ]
    return f"(CASE {' '.join(cases)} END)::text"


def _literals(codes: list[str]) -> str:
    return ", ".join(f"'{code}'" for code in codes)


def _expression(field: Field, table: str) -> str:
    column = f"{table}.{field.source}"
    if field.source == "*":
        return "NULL::text"
    if isinstance(field, ReferenceField):
        return f"{column}_id"
    if isinstance(field, MoneyField):
        return amount(column, f"{table}.{field.currency}")
    if isinstance(field, DecimalField):
        return f"round({column}, {field.places})::text"
    if isinstance(field, TimeField):
        return f"to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')"
    if isinstance(field, serializers.BaseSerializer | serializers.ListField):
        raise TypeError(f"{field.field_name} is not a column of {table}. Pass its SQL by name.")
    return column
