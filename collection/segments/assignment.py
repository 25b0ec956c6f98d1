"""Which segment a debt falls into.

Segments are tried by priority, of equal ones the older first. Bands are half-open, ``min <= x < max``; null is no bound. A
``max_p2p_score`` of 1 includes 1, and a debt without a score fits only where both score bounds are null. A segment with a
currency takes debts in it alone. An inactive segment takes none.
"""

import uuid
from datetime import date

from django.db import connection, transaction

from collection.models import OPEN, Debt
from ddc.common.postgresql import parallel

_OPEN = ", ".join(f"'{status.value}'" for status in OPEN)

# What fits a row called ``debt``, of the segments in one currency or in none: the index has them by priority, so that the first
# that fits ends the search, however many there are.
_FIRST_FIT = """(
    SELECT segment.id, segment.priority, segment.created_at FROM segment
    WHERE segment.is_active AND {currency}
      AND (segment.min_balance IS NULL OR debt.current_balance >= segment.min_balance)
      AND (segment.max_balance IS NULL OR debt.current_balance < segment.max_balance)
      AND (segment.min_p2p_score IS NULL OR debt.p2p_score >= segment.min_p2p_score)
      AND (segment.max_p2p_score IS NULL OR debt.p2p_score < segment.max_p2p_score
           OR (segment.max_p2p_score = 1 AND debt.p2p_score = 1))
      AND (segment.min_days_since_placement IS NULL
           OR %(today)s::date - debt.placement_date >= segment.min_days_since_placement)
      AND (segment.max_days_since_placement IS NULL
           OR %(today)s::date - debt.placement_date < segment.max_days_since_placement)
    ORDER BY segment.priority, segment.created_at, segment.id LIMIT 1
)"""

#: The one statement of what fits best, over a row called ``debt``; its only parameter is the day.
BEST_FIT = f"""(
    SELECT fitting.id FROM (
        {_FIRST_FIT.format(currency="segment.currency_code = debt.currency_code")}
        UNION ALL
        {_FIRST_FIT.format(currency="segment.currency_code IS NULL")}
    ) AS fitting ORDER BY fitting.priority, fitting.created_at, fitting.id LIMIT 1
)"""  # noqa: S608

# Open debts whose segment nobody chose.
_MAY_MOVE = f"debt.current_status IN ({_OPEN}) AND NOT debt.segment_is_pinned"

# What each of these debts fits, and which transaction wrote the debt that was looked at. Two debts of a currency that lie between
# the same bounds of all segments fit the same, so what fits is asked once for all of them, by one of them.
_BOUNDS = """ARRAY(
    SELECT DISTINCT bound FROM segment, unnest(ARRAY[min_{of}, max_{of}]) AS bound
    WHERE segment.is_active AND bound IS NOT NULL ORDER BY bound
)"""
_FITS_OF_MANY = f"""
    bounds AS MATERIALIZED (
        SELECT {_BOUNDS.format(of="balance")} AS balances, {_BOUNDS.format(of="p2p_score")} AS scores,
            {_BOUNDS.format(of="days_since_placement")} AS days
    ),
    seen AS MATERIALIZED (
        SELECT debt.id, debt.segment_id, debt.xmin AS written_by,
            debt.currency_code, debt.current_balance, debt.p2p_score, debt.placement_date,
            concat(
                debt.currency_code, ' ', width_bucket(debt.current_balance, balances), ' ',
                width_bucket(debt.p2p_score, scores), ' ', width_bucket(%(today)s::date - debt.placement_date, days)
            ) AS cell
        FROM debt CROSS JOIN bounds WHERE {_MAY_MOVE} AND {{shard}}
    ),
    of_cell AS MATERIALIZED (
        SELECT debt.cell, {BEST_FIT} AS fit FROM (
            SELECT cell, any_value(currency_code) AS currency_code, any_value(current_balance) AS current_balance,
                any_value(p2p_score) AS p2p_score, any_value(placement_date) AS placement_date
            FROM seen GROUP BY cell
        ) AS debt
    ),
    fits AS (SELECT seen.id, seen.segment_id, seen.written_by, of_cell.fit FROM seen JOIN of_cell USING (cell))
"""  # noqa: S608
_FIT_OF_ONE = f"""
    fits AS (
        SELECT debt.id, debt.segment_id, debt.xmin AS written_by, {BEST_FIT} AS fit
        FROM debt WHERE {_MAY_MOVE} AND debt.id = %(debt)s OFFSET 0
    )
"""  # noqa: S608

# Locked in the order of their ids, as everywhere, so that this and a payment don't wait for each other. What fits is asked again
# where somebody wrote the debt in between. updated_at stays: a segment is worked out, not edited, and nobody's edit should be
# refused as stale for it.
_ASSIGN = f"""
    WITH {{fits}},
    misplaced AS MATERIALIZED (
        SELECT debt.id, fits.written_by, fits.fit FROM fits JOIN debt ON debt.id = fits.id
        WHERE fits.segment_id IS DISTINCT FROM fits.fit ORDER BY debt.id FOR NO KEY UPDATE OF debt
    )
    UPDATE debt SET segment_id = CASE WHEN debt.xmin = misplaced.written_by THEN misplaced.fit ELSE {BEST_FIT} END
    FROM misplaced WHERE debt.id = misplaced.id AND {_MAY_MOVE}
    RETURNING debt.segment_id
"""  # noqa: S608
_ASSIGN_ONE = _ASSIGN.format(fits=_FIT_OF_ONE)
ASSIGN_MANY = _ASSIGN.format(fits=_FITS_OF_MANY)


@transaction.atomic
def assign(debt: Debt, *, today: date) -> None:
    """Assign a debt to the segment that it fits, unless it is closed or its segment is pinned."""
    with connection.cursor() as cursor:
        lock_segments()
        cursor.execute(_ASSIGN_ONE, {"today": today, "debt": debt.pk})
        moved: tuple[uuid.UUID | None] | None = cursor.fetchone()
    if moved is not None:
        debt.segment_id = moved[0]


def assign_all(*, today: date) -> int:
    """Assign every open debt without a pinned segment to the segment that it fits; return how many moved.

    Two connections assign a shard of the debts each. If one fails, the other's work stays committed.
    """
    return sum(parallel.run(lambda shard: _assign_shard(shard, today=today), parallel.shards(of="debt.id")))


@transaction.atomic
def _assign_shard(shard: str, *, today: date) -> int:
    with connection.cursor() as cursor:
        lock_segments()
        cursor.execute(ASSIGN_MANY.format(shard=shard), {"today": today})
        moved: int = cursor.rowcount
    return moved


def lock_segments() -> None:
    """Keep segments from being deleted until we commit; Django's foreign keys would speak up only then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM segment WHERE is_active ORDER BY id FOR KEY SHARE")
