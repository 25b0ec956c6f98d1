"""Find the debts that strategy rules match on a day, and the reasons why some of them get no message.

A rule's trigger gives the records that start its clock for a debt, the anchors, and the day on which it is due for each, its
occurrence (``triggers``). The rule matches on that day and, where the day was missed, up to ``max_lateness_days`` later. One
statement looks at all rules and debts.

A rule is used once for a debt and an anchor, whatever is changed about its day. Its message expires at the end of the last day
that the rule allows, by the debtor's own clock.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from typing import Any

from django.db import connection
from django.db.models import Q

from collection.holds.active import is_active
from collection.models import Hold
from ddc.common.days import LAST, agency_zone, begun
from debtors import calendars
from strategy import conditions, lateness, pauses, triggers, versions
from strategy.models import Reason, StrategyRule, StrategyRuleVersion


@dataclass(frozen=True)
class Match:
    """The number of debts for which a rule is due on a day, and of those that it leaves out, by reason."""

    due: int = 0
    left_out: dict[Reason, int] = field(default_factory=dict)

    @property
    def matched(self) -> int:
        return self.due + sum(self.left_out.values())


# Holds count on the debtor's date at the time of the run. A step whose message met a hold at its dispatch would be spent.
_HELD = """
    EXISTS (
        SELECT FROM hold
        WHERE hold.{owner} AND hold_is_active(hold.starts_on, hold.ends_on, hold.ended_at, %(first)s::date, %(last)s::date)
          AND hold.id <> ALL(%(elsewhere)s::uuid[]) AND hold.reason IS DISTINCT FROM due.own_hold
          AND (hold.blocks_strategy OR (hold.blocks_payment_requests AND template.asks_for_payment))
    )
"""
# Debtors are read only where no other reason applies: hardly ever on a day that was run before. The CASE expressions that return
# a boolean make PostgreSQL expect half of the rows; for a bare comparison it expects so few that it reads the rest one by one.
_MATCH = """
    WITH rule AS MATERIALIZED (
        SELECT version.rule_id AS id, version_id, applies_from, applies_until, segment_id, template_id, channel, conditions,
            after_pause, max_lateness_days, {columns}
        FROM ({versions}) AS version CROSS JOIN LATERAL jsonb_populate_record(NULL::strategy_rule, version.content)
    ),
    paused AS MATERIALIZED ({paused}),
    occurred AS ({occurrences}),
    checked AS MATERIALIZED (
        SELECT due.*, step.message_id, {late} AS is_late,
            CASE
                WHEN step.message_id IS NOT NULL THEN 'already_queued'
                WHEN due.occurrence <= ({done_through}) THEN 'before_restore'
                WHEN NOT template.is_active THEN 'template_inactive'
                WHEN template.communication_type <> due.channel THEN 'template_changed'
                WHEN NOT debt_is_open(due.current_status) THEN 'closed'
                WHEN due.current_status IN ('disputed', 'deferred') THEN due.current_status
                WHEN due.current_balance > 0 AND due.current_balance <= due.disputed_amount THEN 'disputed'
                WHEN {debt_held} OR {debtor_held} THEN 'held'
                WHEN due.current_balance = 0 THEN 'nothing_owed'
                WHEN {unmet} THEN 'conditions_not_met'
            END AS reason
        FROM occurred AS due
        JOIN communication_templates AS template ON template.id = due.template_id
        LEFT JOIN strategy_step AS step
            ON step.rule_id = due.rule_id AND step.debt_id = due.debt_id AND step.anchor = due.anchor
        WHERE {window}
    ),
    last_of_pause AS (
        SELECT debt_id, anchor, occurrence, max(planned) AS planned FROM checked
        WHERE planned < occurrence AND after_pause = 'catch_up' AND (reason IS NULL OR reason = 'already_queued')
        GROUP BY debt_id, anchor, occurrence
    ),
    matched AS MATERIALIZED (
        SELECT rule_id, version_id, template_id, channel, debt_id, debtor_id, anchor, occurrence, after_pause, max_lateness_days,
            message_id, {last_day} AS last_day, CASE
                WHEN reason IS NULL AND checked.planned < last.planned AND after_pause = 'catch_up' THEN 'superseded'
                WHEN is_late AND reason IS NULL THEN 'too_late' ELSE reason
            END AS reason
        FROM checked LEFT JOIN last_of_pause AS last USING (debt_id, anchor, occurrence) WHERE {reported}
    ),
    addressed AS MATERIALIZED (
        SELECT matched.rule_id, matched.version_id, matched.template_id, matched.channel, matched.debt_id, matched.anchor,
            matched.occurrence, matched.last_day, {place} AS place, CASE
            WHEN coalesce(address.value, '') = '' THEN 'no_address'
            WHEN {suppressed} THEN 'suppressed'
        END AS reason
        FROM matched JOIN debtor ON debtor.id = matched.debtor_id CROSS JOIN LATERAL ({address}) AS address
        WHERE CASE WHEN matched.reason IS NULL THEN true ELSE false END
    ){result}
"""
# A run reports each occurrence on its days, and once where it is too late.
_WINDOW = """
    CASE WHEN %(day)s::date - due.occurrence BETWEEN 0 AND due.max_lateness_days THEN true ELSE {late} END"""
_REPORTED = "CASE WHEN is_late THEN reason IS NULL ELSE true END"
_COUNTS = """,
    due AS (
        INSERT INTO strategy_due
        SELECT rule_id, version_id, template_id, channel, debt_id, anchor, occurrence, last_day, place FROM addressed
        WHERE reason IS NULL
    )
    SELECT rule_id, reason, count(*) FROM (
        SELECT rule_id, reason FROM matched WHERE reason IS NOT NULL UNION ALL SELECT rule_id, reason FROM addressed
    ) AS checked GROUP BY rule_id, reason
"""
_EACH = """
    SELECT matched.debt_id, matched.rule_id, matched.anchor, matched.occurrence, matched.message_id,
        matched.max_lateness_days, matched.after_pause, coalesce(matched.reason, addressed.reason)
    FROM matched LEFT JOIN addressed USING (rule_id, debt_id, anchor)
    ORDER BY matched.occurrence, matched.rule_id, matched.anchor
"""

# Of a few debts every trigger may be asked about; a query for those in use would take longer.
_FEW = "debt.id = ANY(%(debts)s::uuid[])"
# The agency's last day for which a lost database may have run the strategy.
_DONE_THROUGH = "SELECT (max(stopped_at) AT TIME ZONE %(zone)s)::date FROM database_restore"
# Days on which no run was done, or before the anchor was recorded: these occurrences were not reported yet.
_LATE = """
    CASE WHEN %(day)s::date - due.occurrence > due.max_lateness_days
        AND (due.occurrence > %(last_date)s::date OR due.recorded_at > %(last_started_at)s) THEN true ELSE false END"""
_DUE = """
    SELECT due.template_id, due.channel, due.debt_id
    FROM unnest(%s::uuid[]) WITH ORDINALITY AS ordered (rule_id, position) JOIN strategy_due AS due USING (rule_id)
    ORDER BY position, due.debt_id
"""


@dataclass(frozen=True)
class LastRun:
    """The last real run that was done: its day, and when it started. Its report has all that was due by then."""

    day: date | None = None
    started_at: datetime | None = None


def match(
    rules: Collection[StrategyRule],
    *,
    day: date,
    now: datetime | None = None,
    last_run: LastRun | None = None,
    shard: str = "TRUE",
) -> dict[uuid.UUID, Match]:
    """Return what each rule matches, by its id, and list the due debts in this session's table ``strategy_due``.

    What became due, and later than its rule allows, since the ``last_run`` is left out as too late.

    :param now: the time of the run, at which debtors' dates decide on holds; None: the noon of ``day`` in UTC

    ``shard`` is an SQL condition on ``debt``, to match a part of the debts.
    """
    matches = {rule.pk: Match() for rule in rules}
    drop_matches()
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE strategy_due (rule_id uuid, version_id bigint, template_id uuid, channel text, "
            "debt_id uuid, anchor uuid, occurrence date, last_day date, place text)"
        )
        sql = _match_sql(
            rules, window=_WINDOW.format(late=_LATE), late=_LATE, reported=_REPORTED, result=_COUNTS, shard=shard
        )
        cursor.execute(sql, params(rules, day=day, now=now, last_run=last_run))
        counts = {(rule_id, reason): count for rule_id, reason, count in cursor.fetchall()}
    lateness.store_ends()
    return {
        rule: Match(
            due=counts.get((rule, None), 0),
            left_out={reason: counts[rule, reason] for reason in Reason if (rule, reason) in counts},
        )
        for rule in matches
    }


@dataclass(frozen=True)
class Occurrence:
    """A day on which a rule is due for a debt, by one anchor: the message that it queued, or why it queues none."""

    debt_id: uuid.UUID
    rule_id: uuid.UUID
    anchor: uuid.UUID
    day: date
    message_id: uuid.UUID | None
    #: Of the version of the rule that counts.
    max_lateness_days: int
    after_pause: str
    reason: Reason | None


def occurrences(
    rules: Collection[StrategyRule], debts: Collection[uuid.UUID], *, day: date, now: datetime
) -> list[Occurrence]:
    """Return all occurrences of the rules for some debts, past and to come, with what a run on ``day`` would find of each.

    It is the statement of a run, without the restriction to the days on which a run looks at an occurrence.
    """
    sql = all_occurrences_sql(rules, result=_EACH, shard=_FEW)
    with connection.cursor() as cursor:
        cursor.execute(sql, params(rules, day=day, now=now) | {"debts": list(debts)})
        return [
            Occurrence(debt, rule, anchor, on, message, lateness, after_pause, Reason(reason) if reason else None)
            for debt, rule, anchor, on, message, lateness, after_pause, reason in cursor.fetchall()
        ]


def all_occurrences_sql(rules: Collection[StrategyRule], *, result: str, shard: str) -> str:
    """Return the statement of a run without the restriction to the days of an occurrence; ``result`` reads ``matched``.

    A row of ``addressed`` has the reasons of those that have none in ``matched``.
    """
    late = "%(day)s::date - due.occurrence > due.max_lateness_days"
    return _match_sql(rules, window="true", late=late, reported="true", result=result, shard=shard)


def params(
    rules: Collection[StrategyRule], *, day: date, now: datetime | None, last_run: LastRun | None = None
) -> dict[str, Any]:
    """Return the parameters of the statement."""
    last = last_run or LastRun()
    now = now or datetime.combine(day, time(12), UTC)
    values: dict[str, Any] = {"day": day, "now": now, "rules": [rule.pk for rule in rules]} | _held_on(now)
    values |= {"last_date": last.day, "last_started_at": last.started_at}
    return values | {"zone": agency_zone().key}


def _held_on(now: datetime) -> dict[str, Any]:
    """Return the first and the last date on earth, and the holds that are active on one of them but not for their debtor."""
    first, last = now.astimezone(LAST).date(), begun(now)
    doubtful = Hold.objects.active_between(first, last).filter(Q(starts_on__gt=first) | Q(ends_on__lte=last))
    elsewhere = []
    for hold in doubtful.select_related("debtor", "debt__debtor").order_by().iterator():
        days = calendars.days(hold.person, at=now)
        if not is_active(hold.starts_on, hold.ends_on, min(days), max(days)):
            elsewhere.append(hold.pk)
    return {"first": first, "last": last, "elsewhere": elsewhere}


def due(rules: Collection[StrategyRule]) -> list[tuple[uuid.UUID, str, uuid.UUID]]:
    """Return template id, channel and debt id of what ``match`` found due, in the order of the rules."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [[rule.pk for rule in rules]])
        return list(cursor.fetchall())


def drop_matches() -> None:
    """Drop the tables of due debts, and of when their messages expire."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS strategy_due")
    lateness.drop_ends()


def _types(rules: Collection[StrategyRule]) -> set[str]:
    """Return the types of the triggers of all versions of some rules."""
    versions_of = StrategyRuleVersion.objects.filter(rule__in=[rule.pk for rule in rules])
    return set(versions_of.values_list("content__trigger__type", flat=True).distinct())


def _match_sql(rules: Collection[StrategyRule], *, shard: str, **parts: str) -> str:
    types = triggers.TRIGGERS if shard == _FEW else _types(rules)
    return _MATCH.format(
        columns=triggers.columns_sql(),
        versions=versions.IN_FORCE,
        done_through=_DONE_THROUGH,
        paused=pauses.paused_sql(shard),
        occurrences=triggers.occurrences_sql(types, shard=shard),
        last_day=lateness.LAST_DAY,
        place=lateness.PLACE,
        debt_held=_HELD.format(owner="debt_id = due.debt_id"),
        debtor_held=_HELD.format(owner="debtor_id = due.debtor_id"),
        unmet=conditions.UNMET,
        address=conditions.ADDRESS.format(channel="matched.channel"),
        suppressed=conditions.SUPPRESSED.format(channel="matched.channel"),
        **parts,
    )
