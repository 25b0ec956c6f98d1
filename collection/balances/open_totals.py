"""Sums of open debts by currency and due date, kept by triggers (``collection/database_triggers.py``).

Each change of debts adds rows to ``open_total``; the sum of the rows is the figure. Compacting merges rows and changes no sum.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db import connection

# Rows locked by another compaction are skipped. A group without debts keeps no row.
_COMPACT = """
    WITH merged AS (
        DELETE FROM open_total WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM open_total WHERE ctid IN (
                SELECT ctid FROM (
                    SELECT ctid, count(*) OVER (PARTITION BY currency_code, due_date) AS rows FROM open_total
                ) AS counted WHERE rows > 1
            ) FOR UPDATE SKIP LOCKED
        )) RETURNING currency_code, due_date, debts, balance
    )
    INSERT INTO open_total SELECT currency_code, due_date, sum(debts), sum(balance) FROM merged
    GROUP BY currency_code, due_date HAVING sum(debts) <> 0 OR sum(balance) <> 0
"""
_SUMS = """
    SELECT currency_code, sum(balance), sum(debts)::bigint, coalesce(sum(balance) FILTER (WHERE due_date < %(today)s), 0),
        coalesce(sum(debts) FILTER (WHERE due_date < %(today)s), 0)::bigint
    FROM open_total GROUP BY currency_code HAVING sum(debts) > 0 ORDER BY currency_code
"""


@dataclass(frozen=True)
class OpenTotal:
    """The open balance in one currency, and the overdue part of it."""

    currency_code: str
    balance: Decimal
    debts: int
    overdue_balance: Decimal
    overdue_debts: int


def by_currency(*, today: date) -> list[OpenTotal]:
    """Sum the open debts; those due before ``today`` are overdue."""
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, {"today": today})
        return [OpenTotal(*row) for row in cursor.fetchall()]


def compact() -> None:
    """Merge the rows of each currency and due date. Others may read and write at the same time."""
    with connection.cursor() as cursor:
        cursor.execute(_COMPACT)
