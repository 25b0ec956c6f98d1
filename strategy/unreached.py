# ruff: noqa: S608 -- the statements are composed of our own constants
"""The open debts that no rule will reach, with the reason: listed anew by a worker after each run.

A rule reaches a debt on a day to come, or when a pause with an end is over. Rules about events count only once the event has
happened.
"""

from datetime import datetime

from django.db import connection, transaction

from ddc.common.days import agency_today
from strategy import matching, rules, slices
from strategy.models import StrategyRun, StrategyUnreached

TASK = "strategy.tasks.list_unreached"
# An open-ended hold keeps every rule away; one with an end only those that skip pauses.
_OPEN_ENDED = """
    EXISTS (
        SELECT FROM hold WHERE (hold.debt_id = matched.debt_id OR hold.debtor_id = matched.debtor_id)
          AND hold.blocks_strategy AND hold.ended_at IS NULL AND hold.ends_on IS NULL AND hold.dispute_id IS NULL
    )"""
_RESULT = f""",
    each AS (
        SELECT matched.debt_id, coalesce(matched.reason, addressed.reason) AS reason, matched.occurrence, CASE
            WHEN matched.reason = 'already_queued' THEN false
            WHEN matched.reason IN ('held', 'deferred', 'disputed')
                THEN (matched.after_pause <> 'skip' OR matched.occurrence > %(day)s::date) AND NOT {_OPEN_ENDED}
            WHEN matched.reason = 'conditions_not_met' THEN matched.occurrence > %(day)s::date
            ELSE coalesce(matched.reason, addressed.reason) IS NULL
        END AS is_reached
        FROM matched LEFT JOIN addressed USING (rule_id, debt_id, anchor)
    ),
    found AS (
        SELECT debt_id, bool_or(is_reached) AS is_reached,
            (array_agg(reason ORDER BY occurrence DESC) FILTER (WHERE reason NOT IN ('already_queued', 'too_late')))[1] AS reason
        FROM each GROUP BY debt_id
    ),
    unreached AS MATERIALIZED (
        SELECT debt.id, CASE
            WHEN debt.segment_id IS NULL THEN 'no_segment'
            WHEN NOT EXISTS (SELECT FROM rule WHERE rule.segment_id = debt.segment_id) THEN 'no_rule'
            ELSE coalesce(found.reason, 'nothing_follows')
        END AS reason
        FROM debt LEFT JOIN found ON found.debt_id = debt.id
        WHERE {{shard}} AND debt_is_open(debt.current_status) AND debt.current_balance > 0 AND found.is_reached IS NOT TRUE
    ),
    reached AS (
        DELETE FROM strategy_unreached AS listed USING debt
        WHERE debt.id = listed.debt_id AND {{shard}} AND NOT EXISTS (SELECT FROM unreached WHERE unreached.id = listed.debt_id)
    )
    INSERT INTO strategy_unreached AS listed (debt_id, reason, since) SELECT id, reason, %(now)s FROM unreached
    ON CONFLICT (debt_id) DO UPDATE SET reason = excluded.reason, since = excluded.since WHERE listed.reason <> excluded.reason
"""


def refresh(*, now: datetime) -> int:
    """List the debts that no rule will reach, slice by slice of the last run; return how many there are."""
    last = StrategyRun.objects.filter(status=StrategyRun.Status.DONE, dry_run=False).order_by("-started_at").first()
    if last is None:
        return 0
    active = rules.active()
    for part in last.slices.order_by("number"):
        shard = slices.condition(part)
        with transaction.atomic(), connection.cursor() as cursor:
            sql = matching.all_occurrences_sql(active, result=_RESULT.format(shard=shard), shard=shard)
            cursor.execute(sql, matching.params(active, day=agency_today(now), now=now))
    return StrategyUnreached.objects.count()
