"""Measure the import of a placement file whose debtors are known, next to COPY of the same debts without any check."""

import csv
import io
import time
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from bench.dataset import AS_OF, CREDITORS
from collection.placements import loading

_COLUMNS = ("email", "originalCreditor", "currencyCode", "originalBalance", "placementDate", "p2pScore")
# In no order of the tables, as in a creditor's file.
_DEBTORS = "SELECT id, email FROM debtor ORDER BY md5(id::text) LIMIT %s"
_COPY = (
    "COPY debt (debtor_id, creditor_id, currency_code, original_balance, current_balance, current_status, placement_date,"
    " p2p_score) FROM STDIN"
)
Row = tuple[Any, ...]


def measure(count: int) -> dict[str, Any]:
    """Import debts; return how many, the seconds, and the seconds of COPY, which is rolled back."""
    with connection.cursor() as cursor:
        cursor.execute(_DEBTORS, [count])
        debtors = cursor.fetchall()
        cursor.execute("SELECT name, id FROM creditor")
        creditors = dict(cursor.fetchall())
    rows = [
        (pk, email, CREDITORS[n % len(CREDITORS)], 20 + n % 9_000, AS_OF - timedelta(days=n % 60), n % 1000 / 1000)
        for n, (pk, email) in enumerate(debtors)
    ]
    bare = _copy(rows, creditors)
    file, now = io.BytesIO(_file(rows)), timezone.now()
    began = time.perf_counter()
    report = loading.load(file, by=None, today=now.date(), now=now)
    return {"accepted": report.accepted, "known": report.known, "ours": time.perf_counter() - began, "bare": bare}


def _file(rows: list[Row]) -> bytes:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    writer.writerows((email, creditor, "EUR", amount, day, score) for _, email, creditor, amount, day, score in rows)
    return out.getvalue().encode()


def _copy(rows: list[Row], creditors: dict[str, Any]) -> float:
    began = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(_COPY) as copy:
            for pk, _, creditor, amount, day, score in rows:
                copy.write_row((pk, creditors[creditor], "EUR", amount, amount, "active", day, score))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)
    return seconds
