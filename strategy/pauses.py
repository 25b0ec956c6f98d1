"""Pauses of a debt: times in which the strategy left it alone, and what becomes of rules that were due in one.

A pause is an ended hold that blocked the strategy (also of a deferral, a dispute or an arrangement), or the time between the
closing and the reopening of a debt. A pause under way is the reason ``held``, and moves nothing until it has ended.
"""

# The pauses of each debt that had one, overlapping ones merged, in the order of time.
_PAUSED = """
    SELECT debt_id, range_agg(span) AS spans FROM (
        SELECT debt.id AS debt_id, {hold_span} AS span FROM hold JOIN debt ON debt.id = hold.debt_id
        WHERE {hold_is_pause} AND {shard}
        UNION ALL
        SELECT debt.id, {hold_span} FROM hold JOIN debt ON debt.debtor_id = hold.debtor_id
        WHERE {hold_is_pause} AND {shard}
        UNION ALL
        SELECT debt.id, daterange(
            (closing.posted_at AT TIME ZONE %(zone)s)::date, (opening.posted_at AT TIME ZONE %(zone)s)::date)
        FROM ledger_entry AS opening JOIN ledger_entry AS closing ON closing.id = opening.reverses_id
        JOIN debt ON debt.id = opening.debt_id
        WHERE opening.reverses_id IS NOT NULL AND opening.cause ->> 'type' IN ('reopening', 'chargeback')
          AND closing.cause ->> 'type' = 'closing' AND {shard}
    ) AS pause WHERE NOT isempty(span) GROUP BY debt_id"""
_HOLD_END = "least(hold.ends_on, (hold.ended_at AT TIME ZONE %(zone)s)::date)"
#: SQL of the day on which a ``rule`` is due for an ``anchor``, from its day without pauses.
OCCURRENCE = """
    CASE WHEN paused.spans IS NULL OR rule.after_pause = 'skip' THEN {due}
        ELSE strategy_day_after_pauses(anchor.day, {due}, paused.spans, rule.after_pause) END"""


def paused_sql(shard: str) -> str:
    """Return SQL of the pauses of the debts of a shard."""
    return _PAUSED.format(
        shard=shard,
        hold_span=f"daterange(hold.starts_on, {_HOLD_END})",
        hold_is_pause=f"hold.blocks_strategy AND hold.ended_at IS NOT NULL AND {_HOLD_END} > hold.starts_on",
    )
