"""Which debts the rules match on a day, and which of them are left alone and why.

A rule's occurrence for a debt is the day ``days_since_placement`` after the debt's placement. It is due on that day and, where
it was missed, up to ``max_lateness_days`` after it; an older one is not matched any more. One look at all debts serves all rules.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

from django.db import connection

from collection.models import OPEN
from strategy.models import Reason, StrategyRule


@dataclass(frozen=True)
class Match:
    """What a rule matches on a day: for how many debts it is ``due``, and how many it leaves alone, by reason."""

    due: int = 0
    left_out: dict[Reason, int] = field(default_factory=dict)

    @property
    def matched(self) -> int:
        return self.due + sum(self.left_out.values())


_OPEN = ", ".join(f"'{status.value}'" for status in OPEN)
_HOLDS = """
    EXISTS (
        SELECT FROM hold
        WHERE hold.{whom} AND hold.lifted_at IS NULL AND hold.starts_on <= %(day)s::date
          AND (hold.blocks_strategy OR (hold.blocks_payment_requests AND template.asks_for_payment))
    )
"""
# Whether a contact point says that an address is used no more, for what the rule's channel does.
_SUPPRESSED = """
    EXISTS (
        SELECT FROM contact_point AS point
        WHERE point.kind = address.kind AND point.value = address.value AND (point.messages_stopped OR point.calls_stopped)
          AND CASE WHEN matched.channel IN ('voice', 'call_script') THEN point.calls_stopped ELSE point.messages_stopped END
    )
"""
# Debtors are looked up only where nothing else speaks against a message: of a day that was run before, hardly ever. Of a CASE
# that gives true or false PostgreSQL expects half of the rows; of a bare comparison, so few that it looks up the rest one by one.
_WEIGH = f"""
    WITH matched AS MATERIALIZED (
        SELECT rule.id AS rule_id, rule.channel, debt.id AS debt_id, debt.debtor_id,
            debt.placement_date + rule.days_since_placement AS occurrence,
            CASE
                WHEN step.log_id IS NOT NULL THEN 'already_queued'
                WHEN NOT template.is_active THEN 'template_inactive'
                WHEN template.communication_type <> rule.channel THEN 'template_changed'
                WHEN debt.current_status NOT IN ({_OPEN}) THEN 'closed'
                WHEN debt.current_status IN ('disputed', 'deferred') THEN debt.current_status
                WHEN debt.current_balance > 0 AND debt.current_balance <= debt.disputed_amount THEN 'disputed'
                WHEN {_HOLDS.format(whom="debt_id = debt.id")} OR {_HOLDS.format(whom="debtor_id = debt.debtor_id")} THEN 'held'
                WHEN debt.current_balance = 0 THEN 'nothing_owed'
            END AS reason
        FROM strategy_rule AS rule
        JOIN communication_templates AS template ON template.id = rule.template_id
        JOIN debt ON debt.segment_id = rule.segment_id AND CASE
            WHEN %(day)s::date - rule.days_since_placement - debt.placement_date BETWEEN 0 AND rule.max_lateness_days
            THEN true ELSE false
        END
        LEFT JOIN strategy_step AS step ON step.rule_id = rule.id AND step.debt_id = debt.id
            AND step.occurrence = debt.placement_date + rule.days_since_placement
        WHERE rule.id = ANY(%(rules)s::uuid[]) AND {{share}}
    ),
    addressed AS MATERIALIZED (
        SELECT matched.rule_id, matched.debt_id, matched.occurrence, CASE
            WHEN coalesce(address.value, '') = '' THEN 'no_address'
            WHEN {_SUPPRESSED} THEN 'suppressed'
        END AS reason
        FROM matched JOIN debtor ON debtor.id = matched.debtor_id CROSS JOIN LATERAL (
            SELECT CASE matched.channel WHEN 'email' THEN 'email' ELSE 'phone' END AS kind,
                CASE matched.channel WHEN 'email' THEN lower(btrim(debtor.email)) ELSE debtor.mobile_phone END AS value
        ) AS address
        WHERE CASE WHEN matched.reason IS NULL THEN true ELSE false END
    ),
    due AS (INSERT INTO strategy_due SELECT rule_id, debt_id, occurrence FROM addressed WHERE reason IS NULL)
    SELECT rule_id, reason, count(*) FROM (
        SELECT rule_id, reason FROM matched WHERE reason IS NOT NULL UNION ALL SELECT rule_id, reason FROM addressed
    ) AS weighed GROUP BY rule_id, reason
"""  # noqa: S608


_DUE = """
    SELECT due.rule_id, due.debt_id
    FROM unnest(%s::uuid[]) WITH ORDINALITY AS turn (rule_id, place) JOIN strategy_due AS due USING (rule_id)
    ORDER BY place, due.debt_id
"""


def due(rules: Collection[StrategyRule]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Return which rule was found due for which debt when they were weighed, by their ids, in the order of the rules."""
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [[rule.pk for rule in rules]])
        return list(cursor.fetchall())


def weigh(rules: Collection[StrategyRule], *, day: date, share: str = "TRUE") -> dict[uuid.UUID, Match]:
    """Tell what each rule matches, by its id, and note in this session's table ``strategy_due`` which debts it is due for.

    ``share`` is SQL that tells which debts to look at.
    """
    matches = {rule.pk: Match() for rule in rules}
    forget()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE strategy_due (rule_id uuid, debt_id uuid, occurrence date)")
        cursor.execute(_WEIGH.format(share=share), {"day": day, "rules": list(matches)})
        counts = {(rule_id, reason): count for rule_id, reason, count in cursor.fetchall()}
    return {
        rule: Match(
            due=counts.get((rule, None), 0),
            left_out={reason: counts[rule, reason] for reason in Reason if (rule, reason) in counts},
        )
        for rule in matches
    }


def forget() -> None:
    """Give back the room that the table takes."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS strategy_due")
