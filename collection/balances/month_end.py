"""Post the interest until the end of a month on all open debts, set-based and in batches.

A run can stop at any moment and be repeated: a debt with all its interest gets nothing the second time. Compounding debts are
computed one by one, because their interest depends on the year before.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.utils.timezone import now

from collection.balances import accounts, interest_sql, ledger
from collection.claims.interest import Compounding
from collection.models import OPEN, Debt, InterestSchedule
from collection.tariffs import schedules
from ddc.common import money

BATCH = 5_000

#: The next open debts with interest, in the order of their ids.
_NEXT = """
    SELECT id::text AS key, interest_schedule_id, interest_from, currency_code FROM debt
    WHERE interest_schedule_id IS NOT NULL AND id > %s AND interest_from < %s AND current_status = ANY(%s)
    ORDER BY id LIMIT %s
"""
#: Reversed entries never were. For money that came back and changed allocations, the day of the payment counts.
_DUE = f"""
    WITH terms AS (
        SELECT * FROM jsonb_to_recordset(%(terms)s::jsonb) AS terms (
            schedule_id uuid, since date, currency_code text, unit numeric,
            until date, day_count text, on_costs boolean, rate_days date[], percents numeric[]
        )
    ), bearing AS MATERIALIZED (
        SELECT debt.id, debt.debtor_id, terms.*
        FROM debt
        JOIN terms ON terms.schedule_id = debt.interest_schedule_id AND terms.since = debt.interest_from
            AND terms.currency_code = debt.currency_code
        WHERE debt.id = ANY(%(debts)s::uuid[]) AND debt.current_status = ANY(%(open)s)
    ), by_day AS (
        SELECT entry.debt_id, greatest(bearing.since, CASE
                WHEN entry.kind = 'placement' OR (entry.kind = 'adjustment' AND entry.cause->>'type' = 'placement')
                    THEN bearing.since
                WHEN entry.refers_to_id IS NOT NULL AND entry.kind IN ('chargeback', 'reallocation')
                    THEN (SELECT value_date FROM ledger_entry AS original WHERE original.id = entry.refers_to_id)
                ELSE entry.value_date END) AS day,
            sum(entry.principal + CASE WHEN bearing.on_costs THEN entry.costs ELSE 0 END) AS base,
            sum(entry.interest) FILTER (WHERE entry.kind = 'interest') AS posted, bool_or(entry.kind <> 'placement') AS happened
        FROM bearing JOIN ledger_entry AS entry ON entry.debt_id = bearing.id
        WHERE entry.kind <> 'reversal'
            AND NOT EXISTS (SELECT FROM ledger_entry AS reversal WHERE reversal.reverses_id = entry.id)
        GROUP BY 1, 2
    ), steps AS (
        SELECT debt_id, array_agg(day ORDER BY day) FILTER (WHERE base <> 0) AS days,
            array_agg(owed ORDER BY day) FILTER (WHERE base <> 0) AS amounts,
            coalesce(sum(posted), 0) AS posted, max(day) FILTER (WHERE happened) AS last_day
        FROM (SELECT *, sum(base) OVER (PARTITION BY debt_id ORDER BY day) AS owed FROM by_day) AS running
        GROUP BY debt_id
    ), stops AS (
        SELECT id, range_agg(days) AS days FROM (
            SELECT bearing.id, daterange(starts_on, ends_on) AS days FROM hold JOIN bearing ON bearing.id = hold.debt_id
            WHERE blocks_interest
            UNION ALL
            SELECT bearing.id, daterange(starts_on, ends_on) FROM hold JOIN bearing ON bearing.debtor_id = hold.debtor_id
            WHERE blocks_interest
        ) AS each_hold GROUP BY id
    )
    SELECT bearing.id, bearing.currency_code, bearing.until AS day,
        {interest_sql.rounded("interest.units", "bearing.unit")} - steps.posted AS amount
    FROM bearing JOIN steps ON steps.debt_id = bearing.id LEFT JOIN stops ON stops.id = bearing.id
    CROSS JOIN LATERAL interest_units(
        steps.days, steps.amounts, bearing.rate_days, bearing.percents, stops.days, bearing.day_count, bearing.since,
        bearing.until
    ) AS interest (units)
    WHERE coalesce(steps.last_day <= bearing.until, true)
"""  # noqa: S608 - Our own SQL.
_POST = f"""
    WITH due AS ({_DUE}), entry AS (
        INSERT INTO ledger_entry (debt_id, kind, amount, interest, currency_code, value_date, posted_at, cause)
        SELECT id, 'interest', amount, amount, currency_code, day, clock_timestamp(), '{{"type": "interest"}}'
        FROM due WHERE amount > 0
    )
    UPDATE debt SET current_balance = current_balance + due.amount, balance_interest = balance_interest + due.amount,
        is_itemized = true, updated_at = %(now)s
    FROM due WHERE debt.id = due.id AND due.amount > 0
"""  # noqa: S608 - Our own SQL.


class Row(NamedTuple):
    """A debt that bears interest."""

    id: str
    schedule: uuid.UUID
    since: date
    currency_code: str


@dataclass
class Posted:
    """The result of a run: the debts that were looked at, and those that got an entry."""

    debts: int = 0
    entries: int = 0


def last_month_end(today: date) -> date:
    """Return the first day of a day's month: interest counts to the day before."""
    return today.replace(day=1)


def post(until: date, *, batch: int = BATCH) -> Posted:
    """Post the interest until the day before ``until`` on all open debts, each batch in its own transaction."""
    posted, last = Posted(), str(uuid.UUID(int=0))
    while rows := _next(last, until, batch):
        last = rows[-1].id
        posted.debts += len(rows)
        posted.entries += _post_batch(rows, until)
    return posted


def _next(last: str, until: date, batch: int) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [last, until, _open(), batch])
        return list(map(Row._make, cursor.fetchall()))


def _post_batch(rows: Sequence[Row], until: date) -> int:
    found = InterestSchedule.objects.in_bulk({row.schedule for row in rows})
    compounding = {key for key, schedule in found.items() if schedule.compounding != Compounding.NONE}
    by_one = [row.id for row in rows if row.schedule in compounding]
    together = [row for row in rows if row.schedule not in compounding]
    return _post_together(together, found, until) + sum(_post_one(uuid.UUID(debt), until) for debt in by_one)


@transaction.atomic
def _post_together(rows: Sequence[Row], found: dict[uuid.UUID, InterestSchedule], until: date) -> int:
    if not rows:
        return 0
    # As one text, because adapting thousands of ids takes longer than finding their debts.
    debts = f"{{{','.join(row.id for row in rows)}}}"
    terms = _terms({row[1:] for row in rows}, found, until)
    with connection.cursor() as cursor:
        # A statement sees what was committed before it began, so the lock comes first.
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM debt WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE) x",
            [debts],
        )
        cursor.execute(_POST, {"debts": debts, "terms": orjson.dumps(terms).decode(), "open": _open(), "now": now()})
        return int(cursor.rowcount)


def _terms(
    keys: Iterable[tuple[uuid.UUID, date, str]], found: dict[uuid.UUID, InterestSchedule], until: date
) -> list[dict[str, Any]]:
    """Return the rates of each schedule for each first day and currency, as the statement reads them."""
    book = schedules.RateBook(found.values())
    rows = []
    for key, since, currency in keys:
        schedule = found[key]
        known = book.of(schedule, since)
        rows.append(
            {
                "schedule_id": str(key),
                "since": since,
                "currency_code": currency,
                "unit": str(money.quantum(currency)),
                "until": min(until, known.unknown_from or until),
                "day_count": schedule.day_count,
                "on_costs": schedule.on_costs,
                "rate_days": [rate.since for rate in known.rates],
                "percents": [str(rate.percent) for rate in known.rates],
            }
        )
    return rows


@transaction.atomic
def _post_one(debt_id: uuid.UUID, until: date) -> int:
    debt: Debt = ledger.lock_debt(debt_id)
    if not debt.is_open:
        return 0
    before = debt.balance_interest
    accounts.book(debt, by=None, until=until)
    return int(debt.balance_interest != before)


def _open() -> list[str]:
    return [status.value for status in OPEN]
