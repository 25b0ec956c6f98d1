"""Which segment a debt falls into.

Segments are tried by priority, of equal ones the older first. Bands are half-open, ``min <= x < max``; null is no bound. A
``max_p2p_score`` of 1 includes 1, and a debt without a score fits only where both score bounds are null. A segment with a
currency takes debts in it alone. An inactive segment takes none.
"""

import uuid
from dataclasses import asdict
from datetime import date

from django.db import connection, transaction

from collection import segmentation_marks
from collection.models import OPEN, Debt

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

#: Open debts whose segment nobody chose and that fit another one better, or none.
_MISPLACED = f"""
    debt.current_status IN ({_OPEN}) AND NOT debt.segment_is_pinned
    AND debt.segment_id IS DISTINCT FROM {BEST_FIT}
"""

# Locked in the order of their ids, as everywhere, so that this and a payment don't wait for each other. updated_at stays: a
# segment is worked out, not edited, and nobody's edit should be refused as stale for it.
_ASSIGN = f"""
    WITH misplaced AS MATERIALIZED (
        SELECT debt.id FROM debt WHERE {_MISPLACED} AND {{which}} ORDER BY debt.id FOR NO KEY UPDATE
    )
    UPDATE debt SET segment_id = {BEST_FIT} FROM misplaced WHERE debt.id = misplaced.id
    RETURNING debt.segment_id, debt.xmin
"""  # noqa: S608


@transaction.atomic
def assign(debt: Debt, *, today: date) -> None:
    """Put one debt into the segment that it fits, if it is open and nobody chose one for it."""
    with connection.cursor() as cursor:
        keep_segments()
        cursor.execute(_ASSIGN.format(which="debt.id = %(debt)s"), {"today": today, "debt": debt.pk})
        moved: tuple[uuid.UUID | None, str] | None = cursor.fetchone()
    if moved is not None:
        debt.segment_id = moved[0]


@transaction.atomic
def assign_all(*, today: date) -> int:
    """Put every open debt that nobody pinned into the segment that it fits; return how many moved.

    Where segments are what they were the last time, only debts that were written since are looked at.
    """
    with connection.cursor() as cursor:
        keep_segments()
        assignment = segmentation_marks.Assignment(rule=_MISPLACED, today=today)
        last = assignment.last()
        assign = _ASSIGN.format(which=segmentation_marks.WRITTEN_SINCE if last else "TRUE")
        cursor.execute(
            f"WITH moved AS ({assign}) SELECT count(*), min(xmin::text) FROM moved",  # noqa: S608
            {"today": today} | (asdict(last) if last else {}),
        )
        moved, moved_by = cursor.fetchone()
        assignment.finish(moved_by=moved_by)
    return int(moved)


def keep_segments() -> None:
    """Keep segments from being deleted until we commit; Django's foreign keys would speak up only then."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM segment WHERE is_active ORDER BY id FOR KEY SHARE")
