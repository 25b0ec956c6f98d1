"""Related rows on the page of a row: the newest ones, and a link to all of them."""

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
    """The newest related rows of one kind."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[Any]]
    #: The URL of the list of all of them; empty if there is none.
    more: str = ""
    #: The URL of the form that adds one, if the reader may.
    add: str | None = None
    more_label: str = "Show all"

    @property
    def table(self) -> dict[str, Any]:
        """Return the input of unfold's table component."""
        return {"headers": self.headers, "rows": self.rows}


def link(obj: Model, text: object = None) -> str:
    """Return a link to a row's page."""
    name = f"admin:{obj._meta.app_label}_{obj._meta.model_name}_change"
    return format_html('<a class="underline" href="{}">{}</a>', reverse(name, args=[obj.pk]), text or obj)


def listing(
    title: str, rows: QuerySet[Any], columns: dict[str, Any], *, add: str | None = None, **filters: Any
) -> Listing:
    """List the newest of these rows. A column is a function of a row; the first one links to it.

    ``filters`` are the query parameters of the list of all of them.
    """
    first, *rest = columns.values()
    shown = [[link(row, first(row)), *(column(row) for column in rest)] for row in rows[:NEWEST]]
    meta = rows.model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return Listing(title, list(columns), shown, f"{url}?{urlencode(filters)}", add)


def adding(model: type[Model], **values: Any) -> str:
    """Return the URL of the form that adds a row, with some fields filled in."""
    return f"{reverse(f'admin:{model._meta.app_label}_{model._meta.model_name}_add')}?{urlencode(values)}"
