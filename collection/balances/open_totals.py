"""Sums of what is open by currency and due date, which triggers of ``debt`` keep (``collection/database_triggers.py``).

Each change of debts adds rows to ``open_total``; their sum is what holds. Folding makes one row of many and changes no sum.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

# A group that nothing is left of has no row. Rows that another fold or a deletion has in hand are left to it.
_FOLD = """
    WITH folded AS (
        DELETE FROM open_total WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM open_total WHERE ctid IN (
                SELECT ctid FROM (
                    SELECT ctid, count(*) OVER (PARTITION BY currency_code, due_date) AS rows FROM open_total
                ) AS counted WHERE rows > 1
            ) FOR UPDATE SKIP LOCKED
        )) RETURNING currency_code, due_date, debts, balance
    )
    INSERT INTO open_total SELECT currency_code, due_date, sum(debts), sum(balance) FROM folded
    GROUP BY currency_code, due_date HAVING sum(debts) <> 0 OR sum(balance) <> 0
"""
_SUMS = """
    SELECT currency_code, sum(balance), sum(debts)::bigint, coalesce(sum(balance) FILTER (WHERE due_date < %(today)s), 0),
        coalesce(sum(debts) FILTER (WHERE due_date < %(today)s), 0)::bigint
    FROM open_total GROUP BY currency_code HAVING sum(debts) > 0 ORDER BY currency_code
"""


@dataclass(frozen=True)
class OpenTotal:
    """What is open in one currency, and what of it is late."""

    currency_code: str
    balance: Decimal
    debts: int
    late_balance: Decimal
    late_debts: int


def by_currency(*, today: date) -> list[OpenTotal]:
    """Sum what is open; what was due before ``today`` is late."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {"today": today})
        return [OpenTotal(*row) for row in cursor.fetchall()]


def fold() -> None:
    """Make one row of those of the same currency and due date, while others write and read."""
    with connection.cursor() as cursor:
        cursor.execute(_FOLD)
