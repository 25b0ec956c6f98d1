"""Bound what a list of a large table reads: by filters and orders that no index serves it shows only the newest rows.

An index for each of them would slow every import and every message down. A date filter moves the window to older rows, a search
and the CSV file read all.
"""

from typing import Any

from django.contrib.admin.options import IS_POPUP_VAR, TO_FIELD_VAR
from django.contrib.admin.views.main import ALL_VAR, ORDER_VAR, PAGE_VAR, SEARCH_VAR
from django.db.models import QuerySet
from django.http import HttpRequest

#: Tables that grow with every debt. Their lists are not sorted by what another table has: that would join all rows first.
LARGE = frozenset({
    "audit_event", "communication_log", "contact_decision", "contact_point", "debt", "debtor", "digital_activity", "ledger_entry",
    "message_attempt", "otp_session", "payment", "strategy_step",
})  # fmt: skip
#: The rows of a window: a page reads them in less than twice the time of a database with 10,000 debts.
WINDOW = 20_000
_OF_LIST = {ALL_VAR, ORDER_VAR, PAGE_VAR, SEARCH_VAR, IS_POPUP_VAR, TO_FIELD_VAR, "_facets"}


def newest(changes: Any, request: HttpRequest, found: QuerySet[Any]) -> tuple[QuerySet[Any], bool]:
    """Return the rows of a list, without those before its window where it needs one, and whether there are such rows."""
    table = changes.model._meta.concrete_model
    indexed = _indexed(table)
    time = _time_field(changes, indexed)
    if time is None or changes.query or not _needs_window(changes, indexed, time):
        return found, False
    rows = table._base_manager.all()
    for spec in changes.filter_specs:
        if getattr(spec, "field_path", None) == time:
            narrowed = spec.queryset(request, rows)
            rows = rows if narrowed is None else narrowed
    oldest = list(rows.order_by(f"-{time}").values_list(time, flat=True)[WINDOW - 1 : WINDOW])
    return (found.filter(**{f"{time}__gte": oldest[0]}), True) if oldest else (found, False)


def _indexed(table: Any) -> set[str]:
    """Return the fields by which an index of all rows begins."""
    whole = [index.fields[0].lstrip("-") for index in table._meta.indexes if index.fields and index.condition is None]
    own = [field.name for field in table._meta.concrete_fields if field.db_index or field.unique]
    return {*whole, *own, table._meta.pk.name}


def _time_field(changes: Any, indexed: set[str]) -> str | None:
    """Return the indexed field that tells new rows from old ones."""
    ordering = [name.lstrip("-") for name in changes._get_default_ordering() if isinstance(name, str)]
    return next((name for name in (*ordering[:1], "created_at", "id") if name in indexed), None)


def _needs_window(changes: Any, indexed: set[str], time: str) -> bool:
    """Return whether a filter or the order of the query is served by no index."""
    of_filters = {name for spec in changes.filter_specs for name in spec.expected_parameters()}
    if changes.params.keys() - of_filters - _OF_LIST:
        return False  # A link to the rows of one person or debt, which are few.
    active = [spec for spec in changes.filter_specs if changes.params.keys() & set(spec.expected_parameters())]
    if any(getattr(spec, "field_path", None) not in {*indexed, time} for spec in active):
        return True
    columns = [changes.list_display[number : number + 1] for number in changes.get_ordering_field_columns()]
    orders = [changes.get_ordering_field(name) for names in columns for name in names]
    # Of the many rows with one status or country an index by it reads all, to sort them further.
    return bool(changes.params.get(ORDER_VAR)) and any(name != time for name in orders)
