"""Postpone, block or fail a message that must not go."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection

from communications.models import CommunicationLog, MessageStatus
from communications.outbox import states
from communications.outbox.states import Cause
from contact.engine.decision import Decision, Verdict

_REASON_LENGTH = 500
_STATUSES = {Verdict.DENY: MessageStatus.BLOCKED, Verdict.POSTPONE: MessageStatus.POSTPONED}
_APPLY_ALL = """
UPDATE communication_log AS log
SET status = refused.status, due_at = refused.due_at, failure_reason = refused.reason, updated_at = %s
FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[]) AS refused (id, status, due_at, reason)
WHERE log.id = refused.id AND log.status = 'claimed'
"""


def apply_all(refused: Sequence[tuple[CommunicationLog, Decision]], *, now: datetime) -> Counter[str]:
    """Postpone or block messages that this transaction has claimed; return how many of each."""
    rows = [
        (message.pk, _STATUSES[decision.verdict], decision.until, _reason(decision)) for message, decision in refused
    ]
    if rows:
        ids, statuses, due_ats, reasons = (list(column) for column in zip(*rows, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(_APPLY_ALL, [now, ids, statuses, due_ats, reasons])
    return Counter(status for _, status, _, _ in rows)


def apply(message: CommunicationLog, decision: Decision, *, now: datetime) -> MessageStatus | None:
    """Postpone or block a waiting message; None if it has changed since it was read."""
    if decision.verdict == Verdict.DENY:
        return close(message, MessageStatus.BLOCKED, _reason(decision), now=now)
    changes = {"due_at": decision.until, "failure_reason": _reason(decision), "updated_at": now}
    return _change(message, MessageStatus.POSTPONED, **changes)


def close(message: CommunicationLog, status: MessageStatus, reason: str, *, now: datetime) -> MessageStatus | None:
    """Block or fail a message before its hand-over; None if it has changed since it was read."""
    return _change(message, status, due_at=None, failure_reason=reason[:_REASON_LENGTH], updated_at=now)


def _reason(decision: Decision) -> str:
    return (decision.reason or "")[:_REASON_LENGTH]


def _change(message: CommunicationLog, status: MessageStatus, **changes: Any) -> MessageStatus | None:
    """Change the status unless the message was changed since it was read; a later claim ends at another time."""
    current = MessageStatus(message.status)
    if current not in states.before(status, Cause.WORKER):
        return None
    row = CommunicationLog.objects.filter(pk=message.pk, status=current, due_at=message.due_at)
    return status if row.update(status=status, **changes) else None
