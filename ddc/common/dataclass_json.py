"""Dataclasses as JSON and back, by their type hints. Values equal to the field's default are left out."""

import uuid
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

_Value = TypeVar("_Value")


def write(value: Any) -> Any:
    """Return a value as JSON takes it: sets as sorted lists, times and ids as text."""
    if is_dataclass(value):
        kind: Any = type(value)
        values = ((name, getattr(value, name), default) for name, default in _defaults(kind))
        return {name: write(found) for name, found, default in values if found != default}
    if isinstance(value, frozenset):
        return sorted(map(write, value), key=str)
    if isinstance(value, tuple):
        return list(map(write, value))
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value


def read(kind: type[_Value], value: Any) -> _Value:
    """Return the value of this type that ``write`` wrote."""
    found: _Value = _read(kind, value)
    return found


def _read(kind: Any, value: Any) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is UnionType:  # The only unions are with None.
        return None if value is None else _read(arguments[0], value)
    if origin in (tuple, frozenset):
        return origin(_read(arguments[0], one) for one in value)
    if is_dataclass(kind):
        made: Any = kind
        hints = _hints(made)
        return made(**{name: _read(hints[name], one) for name, one in value.items()})
    return kind.fromisoformat(value) if kind in (date, datetime, time) else (origin or kind)(value)


@cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in fields(kind))


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
