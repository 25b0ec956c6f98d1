"""Count the events of each kind in a timeline, up to a limit, by arms of the query that fetches its records."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from django.db.models import CharField, DateTimeField, Model, Q, QuerySet, Value
from django.db.models.functions import JSONObject

from casework.admin.timeline import messages, records
from casework.admin.timeline.events import Kind, Request
from communications.models import CommunicationLog

#: More of one table are not counted.
MOST = 99
_MARK = "#"


def arms(asked: Request) -> Iterator[Any]:
    """Yield a query for each table, with the columns of ``records.arms_of`` and one row for each event."""
    asked = replace(asked, kind=None, before=None)
    yield from records.arms_of(asked, _of_table)
    for kind in (Kind.MESSAGES, Kind.CALLS):
        yield _counted(CommunicationLog.objects.filter(messages.condition(asked, kind)), kind)
    if asked.sees_changes:
        yield _counted(records.changes_of(asked), Kind.CHANGES)


def read(rows: list[Any]) -> Mapping[Kind, str]:
    """Return the number of events of each kind as the page shows it: ``99+`` for more than ``MOST``."""
    found = Counter(Kind(row[0].removeprefix(_MARK)) for row in rows if is_one(row))
    return {kind: str(number) if number <= MOST else f"{MOST}+" for kind, number in found.items()}


def is_one(row: Any) -> bool:
    """Return whether a row only counts."""
    return bool(row[0].startswith(_MARK))


def _of_table(asked: Request, model: type[Model], time: str, of: Q, data: dict[str, Any]) -> Any:
    return _counted(model._default_manager.filter(of), records.KINDS[model._meta.label])


def _counted(rows: QuerySet[Any], kind: Kind) -> Any:
    what = Value(_MARK + kind.value, output_field=CharField())
    no_time = Value(datetime(1970, 1, 1, tzinfo=UTC), output_field=DateTimeField())
    counted = rows.order_by().annotate(_what=what, _at=no_time, _data=JSONObject(n=Value(1)))
    return counted.values_list("_what", "pk", "_at", "_data")[: MOST + 1]
