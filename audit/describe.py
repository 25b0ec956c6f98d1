"""The words of the change log: the labels of tables and fields, and values as agents read them."""

import re
from typing import Any

from django.apps import apps
from django.db.models import Field, Model

from audit.models import AuditEvent

_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)\S{0,40}")


def model_of(event: AuditEvent) -> type[Model] | None:
    """Return the model of the event's table; None after the table was removed."""
    return next((model for model in apps.get_models() if model._meta.db_table == event.table_name), None)


def table(event: AuditEvent) -> str:
    """Return the label of the event's table."""
    model = model_of(event)
    return str(model._meta.verbose_name).capitalize() if model else event.table_name


def lines(event: AuditEvent) -> list[tuple[str, str, str]]:
    """Return each changed field as its label, the value before and the value after, in the order of the model's fields."""
    before, after = event.before or {}, event.after or {}
    model = model_of(event)
    fields = {field.column: field for field in model._meta.concrete_fields} if model else {}
    names = [name for name in fields if name in before or name in after]
    names += sorted((before.keys() | after.keys()) - fields.keys())
    return [(_label(fields.get(name), name), _text(before.get(name)), _text(after.get(name))) for name in names]


def summary(event: AuditEvent, *, most: int = 3) -> str:
    """Return the first changed fields on one line."""
    found = lines(event)
    parts = [f"{label}: {before} → {after}" if event.before and event.after else f"{label}: {after if event.after else before}"
             for label, before, after in found[:most]]  # fmt: skip
    return "; ".join([*parts, f"{len(found) - most} more"] if len(found) > most else parts)


def actor(event: AuditEvent) -> str:
    """Return the actor's name, or kind where it has none."""
    return event.actor_name or event.get_actor_kind_display()


def _label(field: "Field[Any, Any] | None", name: str) -> str:
    return str(field.verbose_name if field else name.replace("_", " ")).capitalize()


def _text(value: Any) -> str:
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if match := _MOMENT.fullmatch(str(value)):
        return f"{match[1]} {match[2]}"
    return str(value)
