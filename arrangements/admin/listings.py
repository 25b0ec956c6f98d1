"""Arrangements on other pages."""

from typing import Any

from django.db.models import QuerySet
from django.utils.timezone import now

from arrangements.admin import words
from arrangements.models import Arrangement
from ddc.common.admin.listings import NEWEST, Listing, link, listing
from ddc.common.admin.pages import when


def of_debtor(arrangements: QuerySet[Arrangement], **filters: Any) -> Listing:
    """List arrangements on a person's page, with how those that are active stand."""
    rows = list(arrangements.select_related("debtor", "creditor")[:NEWEST])
    active = [row for row in rows if row.status in (Arrangement.Status.ACTIVE, Arrangement.Status.BROKEN)]
    found = words.steps(active, now=now())
    columns: dict[str, Any] = {
        "Arrangement": words.title,
        "Creditor": lambda row: row.creditor,
        "Status": lambda row: row.get_status_display(),
        "Progress": lambda row: words.progress(found[row.pk], row.currency_code) if row.pk in found else "-",
        "Proposed": lambda row: when(row.created_at),
    }
    first, *rest = columns.values()
    shown = [[link(row, first(row)), *(cell(row) for cell in rest)] for row in rows]
    more = listing("", Arrangement.objects.none(), {"": str}, **filters).more
    return Listing("Arrangements", list(columns), shown, more)
