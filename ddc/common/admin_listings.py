"""What the page of one row shows of other tables: the newest rows, and a link to all of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from django.urls import reverse
from django.utils.html import format_html

NEWEST = 20


@dataclass(frozen=True)
class Listing:
    """The newest rows of one kind, and where the rest is."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    more: str

    @property
    def table(self) -> dict[str, Any]:
        """What unfold's table component takes."""
        return {"headers": self.headers, "rows": self.rows}


def link(obj: Model, text: object = None) -> str:
    """Link to a row's page."""
    name = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change"
    return format_html('<a class="underline" href="{}">{}</a>', reverse(name, args=[obj.pk]), text or obj)


def listing(title: str, rows: QuerySet[Any], columns: dict[str, Any], **filters: object) -> Listing:
    """List the newest of these rows; a column is a function of a row. The first one links to the row.

    ``filters`` are the lookups that the list of all of them takes.
    """
    first, *rest = columns.values()
    shown = [[link(row, first(row)), *(column(row) for column in rest)] for row in rows[:NEWEST]]
    meta = rows.model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return Listing(title, list(columns), shown, f"{url}?{urlencode(filters)}")
