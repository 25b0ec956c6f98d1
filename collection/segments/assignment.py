"""Assign debts to segments.

Segments are tried by priority; of two with the same priority, the older first. Bands are half-open, ``min <= x < max``; null
means no bound. A ``max_p2p_score`` of 1 includes 1, and a debt without a score fits only if both score bounds are null. A
segment with a currency takes only debts in it. An inactive segment takes none.
"""

import uuid
from datetime import date

from django.db import connection, transaction

from collection.models import Debt
from ddc.common.postgresql import parallel

# The first segment that fits a row ``debt``, of those in one currency or without one. The index orders them by priority, so
# the search ends at the first.
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

#: The segment of a row called ``debt``; the only parameter is the day.
BEST_FIT = f"""(
    SELECT fitting.id FROM (
        {_FIRST_FIT.format(currency="segment.currency_code = debt.currency_code")}
        UNION ALL
        {_FIRST_FIT.format(currency="segment.currency_code IS NULL")}
    ) AS fitting ORDER BY fitting.priority, fitting.created_at, fitting.id LIMIT 1
)"""  # noqa: S608

# Open debts without a pinned segment.
_MAY_MOVE = "debt_is_open(debt.current_status) AND NOT debt.segment_is_pinned"

# Debts in one currency between the same bounds of all segments form a cell and fit the same segment, so the search is done once
# per cell.
_BOUNDS = """ARRAY(
    SELECT DISTINCT bound FROM segment, unnest(ARRAY[min_{of}, max_{of}]) AS bound
    WHERE segment.is_active AND bound IS NOT NULL ORDER BY bound
)"""
_BY_CELL = f"""
    bounds AS MATERIALIZED (
        SELECT {_BOUNDS.format(of="balance")} AS balances, {_BOUNDS.format(of="p2p_score")} AS scores,
            {_BOUNDS.format(of="days_since_placement")} AS days
    ),
    candidate AS MATERIALIZED (
        SELECT {{columns}},
            concat(
                debt.currency_code, ' ', width_bucket(debt.current_balance, balances), ' ',
                width_bucket(debt.p2p_score, scores), ' ', width_bucket(%(today)s::date - debt.placement_date, days)
            ) AS cell
        FROM {{table}} AS debt CROSS JOIN bounds WHERE {{condition}}
    ),
    of_cell AS MATERIALIZED (
        SELECT debt.cell, {BEST_FIT} AS fit FROM (
            SELECT cell, any_value(currency_code) AS currency_code, any_value(current_balance) AS current_balance,
                any_value(p2p_score) AS p2p_score, any_value(placement_date) AS placement_date
            FROM candidate GROUP BY cell
        ) AS debt
    )
"""  # noqa: S608
_CELL_COLUMNS = (
    "debt.id, debt.segment_id, debt.xmin AS written_by, "
    "debt.currency_code, debt.current_balance, debt.p2p_score, debt.placement_date"
)
# The segment of each debt, with the transaction that wrote the version read.
_FITS_OF_MANY = f"""
    {_BY_CELL.format(columns=_CELL_COLUMNS, table="debt", condition=f"{_MAY_MOVE} AND {{shard}}")},
    fits AS (SELECT id, segment_id, written_by, fit FROM candidate JOIN of_cell USING (cell))
"""  # noqa: S608
_FIT_OF_ONE = f"""
    fits AS (
        SELECT debt.id, debt.segment_id, debt.xmin AS written_by, {BEST_FIT} AS fit
        FROM debt WHERE {_MAY_MOVE} AND debt.id = %(debt)s OFFSET 0
    )
"""  # noqa: S608

# Debts are locked in the order of their ids, which rules out deadlocks. If another transaction has written a debt since it was
# read, its segment is searched again. updated_at does not change, so that no edit is refused as stale because of an assignment.
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


def of_cells(table: str, *, condition: str) -> str:
    """Return SQL of WITH queries with the day as their only parameter.

    ``candidate`` are the rows of a table with a debt's columns, and their ``cell``; ``of_cell`` is the best segment (``fit``) by
    ``cell``.
    """
    return _BY_CELL.format(columns="debt.*", table=table, condition=condition)


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
    """Lock all segments against deletion until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM segment WHERE is_active ORDER BY id FOR KEY SHARE")
