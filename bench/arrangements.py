"""Measure the daily assessment of payment plans, next to bare SQL that asks the same of the same tables."""

import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from arrangements import assessment

#: Plans of twelve instalments; the first three are due, and all but one in fifty have paid them.
_INSTALMENTS, _UNPAID = 12, 50
_PLANS = """
    INSERT INTO arrangement (
        id, created_at, updated_at, debtor_id, creditor_id, currency_code, kind, status, total, discount, frequency,
        business_days, source, note, needs, creditor_consent, grace_days, tolerance_amount, tolerance_percent, missed_to_break,
        self_reinstate_days, clearing_days, interest, starts_on, anchored_on, needs_person
    )
    SELECT id, now(), now(), debtor_id, creditor_id, currency_code, 'plan', 'active', 1200, 0, 'monthly', 'as_is', 'api',
        '', '[]', '', 3, 0, 1, 1, 30, 0, 'runs', %(start)s::date, %(start)s::date, FALSE
    FROM debt WHERE debt_is_open(current_status) ORDER BY id LIMIT %(count)s
"""
_PARTS = """
    INSERT INTO arrangement_debt (arrangement_id, debt_id, share, balance_at_start, is_active)
    SELECT id, id, 1200, 1200, TRUE FROM arrangement
"""
_SCHEDULE = f"""
    INSERT INTO instalment (arrangement_id, no, agreed_on, due_on, amount)
    SELECT id, no, day, day, 100 FROM arrangement CROSS JOIN LATERAL (
        SELECT no, (%(start)s::date + (no - 1) * interval '1 month')::date AS day FROM generate_series(1, {_INSTALMENTS}) AS no
    ) AS step
"""
_PAID = f"""
    INSERT INTO ledger_entry (debt_id, kind, amount, currency_code, value_date, cause, payment_id)
    SELECT id, 'payment', -100, currency_code, (%(start)s::date + no * interval '1 month')::date, '{{}}', uuidv7()
    FROM (SELECT *, row_number() OVER (ORDER BY id) AS place FROM arrangement) AS plan CROSS JOIN generate_series(0, 2) AS no
    WHERE place %% {_UNPAID} > 0 OR no < 2
"""
_BARE = """
    WITH due AS (
        SELECT arrangement_id, due_on + 3 AS tested_on, sum(amount) OVER (PARTITION BY arrangement_id ORDER BY no) AS due
        FROM arrangement JOIN instalment ON arrangement_id = arrangement.id
        WHERE arrangement.status = 'active' AND due_on + 3 < %(day)s::date
    ),
    paid AS (
        SELECT arrangement_id, value_date, -sum(amount) AS paid FROM arrangement
        JOIN arrangement_debt ON arrangement_id = arrangement.id JOIN ledger_entry USING (debt_id)
        WHERE arrangement.status = 'active' AND ledger_entry.kind = 'payment' AND value_date >= starts_on
            AND NOT EXISTS (SELECT FROM ledger_entry AS undone WHERE undone.reverses_id = ledger_entry.id)
        GROUP BY arrangement_id, value_date
    )
    SELECT DISTINCT arrangement_id FROM (
        SELECT due.arrangement_id, due, tested_on, coalesce(sum(paid), 0) AS paid
        FROM due LEFT JOIN paid ON paid.arrangement_id = due.arrangement_id AND value_date <= tested_on
        GROUP BY due.arrangement_id, due, tested_on
    ) AS tested WHERE due - paid > 1
"""
Figures = dict[str, Any]


def measure(count: int) -> Figures:
    """Assess so many plans on a day, and a tenth of them; all rows are rolled back."""
    return _assess(count) | {"tenth": _assess(count // 10)["ours"]}


def _assess(count: int) -> Figures:
    today = timezone.now().date()
    start = today - timedelta(days=70)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in (_PLANS, _PARTS, _SCHEDULE, _PAID):
            cursor.execute(statement, {"start": start, "count": count})
        cursor.execute("ANALYZE arrangement, arrangement_debt, instalment, ledger_entry")
        found: dict[str, tuple[float, set[Any]]] = {}
        for name, ask in (("ours", _ours), ("bare", _bare)):
            found[name] = min((_timed(ask, today) for _ in range(3)), key=lambda timed: timed[0])
        transaction.set_rollback(True)
    (ours, broken), (bare, short) = found["ours"], found["bare"]
    return {"count": count, "ours": ours, "bare": bare, "broken": len(broken), "same": broken == short}


def _timed(ask: Callable[[date], set[Any]], day: date) -> tuple[float, set[Any]]:
    began = time.perf_counter()
    found = ask(day)
    return time.perf_counter() - began, found


def _ours(day: date) -> set[Any]:
    return {state.id for state in assessment.changed(assessment.RUNNING, day=day)}


def _bare(day: date) -> set[Any]:
    with connection.cursor() as cursor:
        cursor.execute(_BARE, {"day": day})
        return {pk for (pk,) in cursor.fetchall()}
