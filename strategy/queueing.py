"""Queue the messages that rules are due for, each with the step that records which rule queued it."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from communications.models import CommunicationLog, MessageStatus
from contact.models import Purpose
from strategy.models import StrategyRule, StrategyRun

# The step decides: where another run was first, the conflict inserts no step and so no message. The lock waits for a debt that
# is being deleted, and leaves it out once it is gone. Sorted by debt, neighbouring rows are on the same index pages. Messages are
# due in the order of their rules, a microsecond apart.
#
# The lock on the rules makes switching one off wait for this transaction, and then withdraw its messages; a rule that was
# switched off first queues nothing. The step of a rule that was deleted fails the check of references.
_QUEUE = """
    WITH rule AS MATERIALIZED (
        SELECT id, is_active FROM strategy_rule WHERE id = ANY(%(rules)s::uuid[]) ORDER BY id {lock}
    ),
    due AS MATERIALIZED (
        SELECT uuidv7() AS message_id, found.rule_id, debt.id AS debt_id, debt.debtor_id, found.anchor, found.occurrence,
            found.version_id, found.template_id, found.channel, ends.expires_at
        FROM strategy_due AS found
        LEFT JOIN rule ON rule.id = found.rule_id
        JOIN strategy_end AS ends ON ends.last_day = found.last_day AND ends.place = found.place
        JOIN debt ON debt.id = found.debt_id
        WHERE found.rule_id = ANY(%(rules)s::uuid[]) AND rule.is_active IS DISTINCT FROM false
        ORDER BY debt.id FOR KEY SHARE OF debt
    ),
    step AS (
        INSERT INTO strategy_step (message_id, rule_id, version_id, debt_id, anchor, occurrence, run_id)
        SELECT message_id, rule_id, version_id, debt_id, anchor, occurrence, %(run)s FROM due
        {on_conflict}
        RETURNING message_id, rule_id
    ),
    message AS (
        INSERT INTO communication_log (
            id, created_at, updated_at, debtor_id, debt_id, template_id, communication_type, direction, purpose, status,
            due_at, expires_at, attempts, open_count, request_id
        )
        SELECT due.message_id, %(now)s, %(now)s, due.debtor_id, due.debt_id, due.template_id, due.channel, %(direction)s,
            %(purpose)s, %(status)s, %(now)s + (position - 1) * interval '1 microsecond', due.expires_at, 0, 0, %(request)s
        FROM due
        JOIN step USING (message_id)
        JOIN unnest(%(rules)s::uuid[]) WITH ORDINALITY AS ordered (rule_id, position) ON ordered.rule_id = due.rule_id
    )
    SELECT rule_id, count(*) FROM step GROUP BY rule_id
"""
LOCK = "FOR SHARE"
ON_CONFLICT = "ON CONFLICT ON CONSTRAINT strategy_step_queues_once DO NOTHING"


@transaction.atomic
def queue(rules: Sequence[StrategyRule], run: StrategyRun, *, now: datetime) -> dict[uuid.UUID, int]:
    """Queue a message for each debt that ``matching.match`` found due, once per rule, debt and anchor, while the rule is active.

    The order of the rules is the order of their messages. Return the number of messages of each rule, by its id.
    """
    values: dict[str, Any] = {
        "rules": [rule.pk for rule in rules],
        "run": run.pk,
        "request": run.request_id,
        "now": now,
        "direction": CommunicationLog.Direction.OUTBOUND.value,
        "purpose": Purpose.COLLECTION.value,
        "status": MessageStatus.QUEUED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_QUEUE.format(on_conflict=ON_CONFLICT, lock=LOCK), values)
        return dict(cursor.fetchall())
