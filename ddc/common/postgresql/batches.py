"""Delete many rows in small transactions."""

from typing import Any

from django.db.models import QuerySet

BATCH = 1_000


def delete_in_batches(rows: QuerySet[Any], *, size: int = BATCH) -> int:
    """Delete rows, and what refers to them, in transactions of at most ``size`` rows. Return the number of rows."""
    deleted = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:size]):
        rows.filter(pk__in=keys).delete()
        deleted += len(keys)
    return deleted
