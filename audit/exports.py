"""Record each download of a list: who took which rows out of the system, when, and why."""

import uuid

from django.db.models.functions import Now

from audit.models import ListExport

#: Above so many rows an export needs a reason. A row is at most one person.
ROWS_WITHOUT_REASON = 1_000


def begin(*, agent_id: uuid.UUID, agent_name: str, list_name: str, filters: str, reason: str) -> ListExport:
    """Record an export before its first row is sent, so that one that breaks off is known too."""
    return ListExport.objects.create(
        agent_id=agent_id, agent_name=agent_name, list_name=list_name, filters=filters, reason=reason
    )


def finish(export: ListExport, *, rows: int) -> None:
    """Record the number of rows that were sent."""
    ListExport.objects.filter(pk=export.pk, finished_at=None).update(rows=rows, finished_at=Now())
