"""What rules queue: a message, and the step that says which rule fired for which debt and occurrence."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from communications.models import CommunicationLog, MessageStatus, Purpose
from strategy.models import StrategyRule, StrategyRun

# The step decides: where another run was first, its conflict leaves no step here, and so no message. A debt that is being deleted
# is waited for, and left out when it is gone. Sorted by debt, rows come to the same pages of an index together. Messages are due
# in the order of their rules, by a microsecond each.
_FIRE = """
    WITH firing AS MATERIALIZED (
        SELECT uuidv7() AS log_id, due.rule_id, debt.id AS debt_id, debt.debtor_id, due.occurrence
        FROM strategy_due AS due JOIN debt ON debt.id = due.debt_id
        WHERE due.rule_id = ANY(%(rules)s::uuid[])
        ORDER BY debt.id FOR KEY SHARE OF debt
    ),
    step AS (
        INSERT INTO strategy_step (log_id, rule_id, debt_id, occurrence, run_id)
        SELECT log_id, rule_id, debt_id, occurrence, %(run)s FROM firing
        {on_conflict}
        RETURNING log_id, rule_id
    ),
    message AS (
        INSERT INTO communication_log (
            id, created_at, updated_at, debtor_id, debt_id, template_id, communication_type, direction, purpose, status,
            due_at, attempts, open_count, request_id
        )
        SELECT firing.log_id, %(now)s, %(now)s, firing.debtor_id, firing.debt_id, rule.template_id, rule.channel, %(direction)s,
            %(purpose)s, %(status)s, %(now)s + (place - 1) * interval '1 microsecond', 0, 0, %(request)s
        FROM firing
        JOIN step USING (log_id)
        JOIN unnest(%(rules)s::uuid[]) WITH ORDINALITY AS turn (rule_id, place) ON turn.rule_id = firing.rule_id
        JOIN strategy_rule AS rule ON rule.id = firing.rule_id
    )
    SELECT rule_id, count(*) FROM step GROUP BY rule_id
"""
ON_CONFLICT = "ON CONFLICT ON CONSTRAINT strategy_step_fires_once DO NOTHING"


@transaction.atomic
def fire(rules: Sequence[StrategyRule], run: StrategyRun, *, now: datetime) -> dict[uuid.UUID, int]:
    """Queue what was found due when the rules were weighed, each (rule, debt, occurrence) once and for all.

    The rules come in the order in which their messages are to go. Return how many messages each queued, by the rule's id.
    """
    facts: dict[str, Any] = {
        "rules": [rule.pk for rule in rules],
        "run": run.pk,
        "request": run.request_id,
        "now": now,
        "direction": CommunicationLog.Direction.OUTBOUND.value,
        "purpose": Purpose.COLLECTION.value,
        "status": MessageStatus.QUEUED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FIRE.format(on_conflict=ON_CONFLICT), facts)
        return dict(cursor.fetchall())
