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


_BY_AGE = """
    SELECT CASE WHEN due_date IS NULL OR due_date >= %(today)s THEN 0 WHEN due_date >= %(today)s - 30 THEN 1
        WHEN due_date >= %(today)s - 60 THEN 2 WHEN due_date >= %(today)s - 90 THEN 3 WHEN due_date >= %(today)s - 180 THEN 4
        WHEN due_date >= %(today)s - 365 THEN 5 ELSE 6 END, currency_code, sum(balance), sum(debts)::bigint
    FROM open_total GROUP BY 1, 2 HAVING sum(debts) > 0 ORDER BY 1, 2
"""
#: The ages of ``by_age``, in days past due.
AGES = ("Not due", "1 to 30 days", "31 to 60 days", "61 to 90 days", "91 to 180 days", "181 to 365 days", "Over a year")


def by_age(*, today: date) -> list[tuple[int, str, Decimal, int]]:
    """Sum the open debts by age and currency: the index in ``AGES``, currency, balance and number of debts."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_AGE, {"today": today})
        return list(cursor.fetchall())
