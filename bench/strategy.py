"""Measure a strategy run over all debts, next to one statement that queues the same messages."""

import time
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from bench.dataset import AS_OF
from ddc.common.postgresql import owner
from strategy import runs
from strategy.models import StrategyRun

_DO = """
WITH matched AS MATERIALIZED (
    SELECT rule.id AS rule_id, rule.template_id, rule.channel, debt.id AS debt_id, debt.debtor_id, uuidv7() AS message_id,
        debt.placement_date + (rule.trigger ->> 'days_since_placement')::int AS occurrence
    FROM strategy_rule AS rule JOIN segment ON segment.id = rule.segment_id
    CROSS JOIN LATERAL (
        SELECT * FROM debt WHERE debt.current_status = 'active' AND debt.current_balance > 0
          AND debt.currency_code = segment.currency_code
          AND debt.placement_date <= %(day)s::date - (rule.trigger ->> 'days_since_placement')::int
          AND debt.p2p_score >= segment.min_p2p_score AND debt.p2p_score < segment.max_p2p_score
          AND debt.current_balance >= segment.min_balance AND debt.current_balance < segment.max_balance
          AND NOT EXISTS (SELECT FROM strategy_step WHERE strategy_step.rule_id = rule.id AND strategy_step.debt_id = debt.id)
        OFFSET 0
    ) AS debt
    WHERE rule.is_active
), log AS (
    INSERT INTO communication_log (id, created_at, updated_at, debtor_id, debt_id, template_id, communication_type, due_at)
    SELECT message_id, %(now)s, %(now)s, debtor_id, debt_id, template_id, channel, %(now)s FROM matched
), step AS (
    INSERT INTO strategy_step (rule_id, debt_id, anchor, occurrence, run_id, message_id)
    SELECT rule_id, debt_id, debt_id, occurrence, %(run)s, message_id FROM matched
)
SELECT count(*) FROM matched
"""
_WHAT = (
    "SELECT count(*), md5(string_agg(rule_id::text || debt_id::text, '' ORDER BY rule_id, debt_id)) FROM strategy_step"
)


def measure() -> dict[str, Any]:
    """Run the strategy twice, undo it, and do the same in bare SQL; return the seconds, and whether both queued the same."""
    first, queued = _run()
    second, _ = _run()
    ours = _what()
    _take_back()
    bare = _bare()
    same = _what() == ours
    _take_back()
    return {"first": first, "second": second, "bare": bare, "queued": queued, "same": same}


def _run() -> tuple[float, int]:
    began = time.perf_counter()
    run = runs.run_now(day=AS_OF, dry_run=False, by=None, clock=timezone.now)
    return time.perf_counter() - began, sum(line["queued"] for line in run.rules)


def _bare() -> float:
    run = StrategyRun.objects.create(date=AS_OF, status="done")
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DO, {"day": AS_OF, "now": timezone.now(), "run": run.pk})
    return time.perf_counter() - began


def _what() -> Any:
    with connection.cursor() as cursor:
        cursor.execute(_WHAT)
        return cursor.fetchone()


def _take_back() -> None:
    with owner.connected(), connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "DELETE FROM communication_log USING strategy_step WHERE communication_log.id = strategy_step.message_id"
        )
        cursor.execute("TRUNCATE strategy_step")
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("VACUUM ANALYZE communication_log, strategy_step, debt")
