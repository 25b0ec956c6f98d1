"""Claims on items of work: the second agent sees who has one."""

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Model

from agents.models import Agent
from casework.models import WorkClaim
from ddc.common.postgresql.batches import delete_in_batches

#: How long a claim lasts after the last request for its item.
LASTS = timedelta(minutes=10)

# One statement decides which of two agents gets the item: the second one waits for the row, and then finds it claimed. It does
# not see a row that was committed while it waited, and answers nothing; the next try does.
_CLAIM = """
WITH mine AS (
    INSERT INTO work_claim (item_type, item_id, agent_id, claimed_at, seen_at)
    VALUES (%(type)s, %(id)s, %(agent)s, %(now)s, %(now)s)
    ON CONFLICT (item_type, item_id) DO UPDATE SET
        agent_id = excluded.agent_id,
        claimed_at = CASE
            WHEN work_claim.agent_id = excluded.agent_id AND work_claim.seen_at > %(ended)s THEN work_claim.claimed_at
            ELSE excluded.claimed_at
        END,
        seen_at = greatest(work_claim.seen_at, excluded.seen_at)
    WHERE work_claim.agent_id = excluded.agent_id OR work_claim.seen_at <= %(ended)s
    RETURNING *
)
SELECT * FROM mine
UNION ALL
SELECT * FROM work_claim
WHERE item_type = %(type)s AND item_id = %(id)s AND seen_at > %(ended)s AND NOT EXISTS (SELECT FROM mine)
"""


def claim(item: Model, *, by: Agent, now: datetime) -> WorkClaim:
    """Claim an item, or renew the own claim; return the claim in force, which is another agent's if that one was first."""
    while True:
        if found := attempt(item, by=by, now=now):
            return found


def attempt(item: Model, *, by: Agent, now: datetime) -> WorkClaim | None:
    """Write the claim unless another agent's is in force; return the one in force, or None if it was committed just now."""
    values = {"type": type_of(item), "id": item.pk, "agent": by.pk, "now": now, "ended": now - LASTS}
    return next(iter(WorkClaim.objects.raw(_CLAIM, values)), None)


def release(item: Model, *, by: Agent) -> None:
    """End the agent's own claim on an item."""
    WorkClaim.objects.filter(item_type=type_of(item), item_id=item.pk, agent=by).delete()


def in_force(item_type: str, ids: Collection[uuid.UUID], *, now: datetime) -> dict[uuid.UUID, WorkClaim]:
    """Return the claims on some items of one kind, by item."""
    rows = WorkClaim.objects.filter(item_type=item_type, item_id__in=ids, seen_at__gt=now - LASTS)
    return {row.item_id: row for row in rows.select_related("agent")}


def is_in_force(claim: WorkClaim, *, now: datetime) -> bool:
    return claim.seen_at > now - LASTS


def delete_ended(*, now: datetime) -> None:
    """Delete claims that have ended."""
    delete_in_batches(WorkClaim.objects.filter(seen_at__lte=now - LASTS))


def type_of(item: Model) -> str:
    return item._meta.label
