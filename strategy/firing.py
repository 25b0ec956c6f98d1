"""What one rule does on one day: which debts it matches, which of them it leaves alone and why, and what it queues.

A rule's occurrence for a debt is the day ``days_since_placement`` after the debt's placement. It is due on that day and, where
it was missed, up to ``max_lateness_days`` after it; an older one is not matched any more. All in a few statements per rule,
however many debts there are.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from collection.models import OPEN
from communications.models import Channel, CommunicationLog, MessageStatus, Purpose
from strategy.models import Reason, StrategyRule, StrategyRun


@dataclass(frozen=True)
class Outcome:
    """What a rule matched; ``queued`` and all that is left out add up to it."""

    matched: int
    queued: int
    left_out: dict[Reason, int]


_ADDRESS = {Channel.EMAIL: "debtor.email"}
#: By the channel, what kind of contact point it uses, its value as that is kept there, and what says that it is used no more.
_SUPPRESSED_AS = {
    Channel.EMAIL: ("email", "lower(btrim(debtor.email))", "messages_stopped"),
    Channel.SMS: ("phone", "debtor.mobile_phone", "messages_stopped"),
    Channel.VOICE: ("phone", "debtor.mobile_phone", "calls_stopped"),
    Channel.CALL_SCRIPT: ("phone", "debtor.mobile_phone", "calls_stopped"),
}

_CANDIDATES = """
    SELECT debt.id AS debt_id, debt.debtor_id, debt.placement_date + %(days)s::integer AS occurrence, uuidv7() AS log_id,
        CASE
            WHEN EXISTS (
                SELECT FROM strategy_step AS step
                WHERE step.rule_id = %(rule)s AND step.debt_id = debt.id
                  AND step.occurrence = debt.placement_date + %(days)s::integer
            ) THEN 'already_queued'
            WHEN %(barred)s::text IS NOT NULL THEN %(barred)s::text
            WHEN NOT debt.current_status = ANY(%(open)s::text[]) THEN 'closed'
            WHEN debt.current_status = 'disputed' THEN 'disputed'
            WHEN debt.current_status = 'deferred' THEN 'deferred'
            WHEN EXISTS (
                SELECT FROM hold WHERE hold.debt_id = debt.id AND hold.blocks_strategy AND hold.lifted_at IS NULL
                  AND hold.starts_on <= %(date)s::date
            ) OR EXISTS (
                SELECT FROM hold WHERE hold.debtor_id = debt.debtor_id AND hold.blocks_strategy AND hold.lifted_at IS NULL
                  AND hold.starts_on <= %(date)s::date
            ) THEN 'held'
            WHEN debt.current_balance = 0 THEN 'nothing_owed'
            WHEN {address} IS NULL OR {address} = '' THEN 'no_address'
            WHEN EXISTS (
                SELECT FROM contact_point
                WHERE contact_point.kind = '{kind}' AND contact_point.value = {suppressed} AND contact_point.{stopped}
            ) THEN 'suppressed'
        END AS reason
    FROM debt JOIN debtor ON debtor.id = debt.debtor_id
    WHERE debt.segment_id = %(segment)s AND debt.placement_date BETWEEN %(earliest)s::date AND %(latest)s::date
"""

_COUNT = "SELECT reason, count(*) FROM ({candidates}) AS candidate GROUP BY reason"

# The step decides: where another run was first, its conflict leaves no step here, and so no message. The debtor is looked up by
# the debt's key again: to join the candidates would be a nested loop over all of them where statistics are behind, as they are
# when debts have just come into their segments.
_FIRE = """
    WITH candidate AS MATERIALIZED ({candidates}),
    step AS (
        INSERT INTO strategy_step (id, rule_id, debt_id, occurrence, run_id, log_id)
        SELECT uuidv7(), %(rule)s, debt_id, occurrence, %(run)s, log_id FROM candidate WHERE reason IS NULL
        {on_conflict}
        RETURNING log_id, debt_id
    ),
    queued AS (
        INSERT INTO communication_log (
            id, created_at, updated_at, debtor_id, debt_id, template_id, communication_type, direction, purpose, status,
            due_at, attempts, open_count, request_id
        )
        SELECT step.log_id, %(now)s, %(now)s, debt.debtor_id, debt.id, %(template)s, %(channel)s, %(direction)s, %(purpose)s,
            %(status)s, %(now)s, 0, 0, %(request)s
        FROM step JOIN debt ON debt.id = step.debt_id
        RETURNING 1
    )
    SELECT reason, count(*) FROM candidate GROUP BY reason
    UNION ALL
    SELECT 'queued', count(*) FROM queued
"""
ON_CONFLICT = "ON CONFLICT ON CONSTRAINT strategy_step_fires_once DO NOTHING"


def foresee(rule: StrategyRule, *, day: date) -> Outcome:
    """Tell what the rule would do on a day, and write nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_COUNT.format(candidates=_candidates(rule)), _facts(rule, day))
        counts = dict(cursor.fetchall())
    return _outcome(counts, queued=counts.get(None, 0))


@transaction.atomic
def fire(rule: StrategyRule, run: StrategyRun, *, now: datetime) -> Outcome:
    """Queue the rule's messages of the run's day, each (rule, debt, occurrence) once and for all."""
    sql = _FIRE.format(candidates=_candidates(rule), on_conflict=ON_CONFLICT)
    facts = _facts(rule, run.date) | {
        "run": run.pk,
        "request": run.request_id,
        "now": now,
        "template": rule.template_id,
        "channel": rule.channel,
        "direction": CommunicationLog.Direction.OUTBOUND.value,
        "purpose": Purpose.COLLECTION.value,
        "status": MessageStatus.QUEUED.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, facts)
        counts = dict(cursor.fetchall())
    return _outcome(counts, queued=counts.pop("queued"))


def _candidates(rule: StrategyRule) -> str:
    channel = Channel(rule.channel)
    kind, value, stopped = _SUPPRESSED_AS[channel]
    return _CANDIDATES.format(
        address=_ADDRESS.get(channel, "debtor.mobile_phone"), kind=kind, suppressed=value, stopped=stopped
    )


def _facts(rule: StrategyRule, day: date) -> dict[str, Any]:
    latest = day - timedelta(days=rule.days_since_placement)
    barred = None
    if not rule.template.is_active:
        barred = Reason.TEMPLATE_INACTIVE.value
    elif rule.template.communication_type != rule.channel:
        barred = Reason.TEMPLATE_CHANGED.value
    return {
        "rule": rule.pk,
        "segment": rule.segment_id,
        "days": rule.days_since_placement,
        "date": day,
        "earliest": latest - timedelta(days=rule.max_lateness_days),
        "latest": latest,
        "open": [status.value for status in OPEN],
        "barred": barred,
    }


def _outcome(counts: dict[str | None, int], *, queued: int) -> Outcome:
    """Sum up; what another run queued between our look and our write counts as queued already."""
    left_out = {Reason(reason): count for reason, count in counts.items() if reason is not None}
    if others := counts.get(None, 0) - queued:
        left_out[Reason.ALREADY_QUEUED] = left_out.get(Reason.ALREADY_QUEUED, 0) + others
    in_order = {reason: left_out[reason] for reason in Reason if reason in left_out}
    return Outcome(matched=sum(counts.values()), queued=queued, left_out=in_order)
