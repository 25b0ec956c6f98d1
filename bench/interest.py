"""Measure the month end's interest on debts, next to bare SQL that posts the same amounts, and at a tenth of the size."""

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import connection, transaction

from bench.dataset import AS_OF
from collection.balances import month_end
from collection.tariffs import schedules

SINCE = AS_OF - timedelta(days=180)
_BEAR = """
    UPDATE debt SET interest_schedule_id = %s, interest_from = %s WHERE id IN (
        SELECT id FROM debt WHERE debt_is_open(current_status) AND interest_schedule_id IS NULL AND currency_code <> 'JPY'
        AND EXISTS (SELECT FROM ledger_entry WHERE debt_id = debt.id)
        ORDER BY md5(id::text) LIMIT %s
    )
"""
# A rate and a principal that never change: the least that posts an entry and moves a balance.
_BARE = """
    WITH due AS (
        SELECT id, currency_code, round(balance_principal * 10 * (%(until)s::date - interest_from) / 36500, 2) AS amount
        FROM debt WHERE interest_schedule_id = %(schedule)s AND debt_is_open(current_status)
    ), entry AS (
        INSERT INTO ledger_entry (debt_id, kind, amount, interest, currency_code, value_date, cause)
        SELECT id, 'interest', amount, amount, currency_code, %(until)s, '{}' FROM due WHERE amount > 0
    )
    UPDATE debt SET current_balance = current_balance + amount, balance_interest = balance_interest + amount,
        is_itemized = true, updated_at = now()
    FROM due WHERE due.id = debt.id AND amount > 0
"""


def measure(count: int) -> dict[str, Any]:
    """Post the interest of debts; return entries and seconds of the first run, the second, bare SQL and a tenth of the debts."""
    tenth = _run(max(count // 10, 1))
    whole = _run(count)
    return whole | {"tenth": tenth["ours"], "tenth_entries": tenth["entries"]}


def _run(count: int) -> dict[str, Any]:
    code = f"BENCH_{count}"
    schedule = schedules.add(code=code, name="10 %", fixed_percent=Decimal(10), section="-", source="-", by=None)
    with connection.cursor() as cursor:
        cursor.execute(_BEAR, [schedule.pk, SINCE, count])
        cursor.execute("ANALYZE debt")
    bare = _bare(schedule.pk)
    first, posted = _post()
    second, again = _post()
    return {"entries": posted.entries, "again": again.entries, "ours": first, "second": second, "bare": bare}


def _post() -> tuple[float, month_end.Posted]:
    began = time.perf_counter()
    posted = month_end.post(AS_OF)
    return time.perf_counter() - began, posted


def _bare(schedule: Any) -> float:
    """Return the seconds of bare SQL, which is rolled back."""
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_BARE, {"schedule": schedule, "until": AS_OF})
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)
    return seconds
