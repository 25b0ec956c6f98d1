# ruff: noqa: S608 -- the statements are composed of our own constants
"""The state of an arrangement: what is paid of each instalment, and whether it is kept, missed or broken.

Nothing of this is stored. It follows from the schedule and from the payments in the ledger, in the order of the instalments, so
that payments entered late and payments taken back need no repair. A payment counts with its value date, unless it was reversed,
charged back or refunded.
"""

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from arrangements.models import Arrangement

# All entries of a payment are added up: what of it was reversed, charged back or refunded is as if it had never come. A corrected
# payment has the value date of its last entry.
_PAID = """
    SELECT arrangement_id, value_date, amount FROM (
        SELECT part.arrangement_id, chosen.starts_on, -sum(entry.amount) AS amount,
            (array_agg(entry.value_date ORDER BY entry.posted_at DESC) FILTER (WHERE entry.kind = 'payment'))[1] AS value_date
        FROM chosen JOIN arrangement_debt AS part ON part.arrangement_id = chosen.id
        JOIN ledger_entry AS entry ON entry.debt_id = part.debt_id AND entry.payment_id IS NOT NULL
        GROUP BY part.arrangement_id, chosen.starts_on, entry.debt_id, entry.payment_id
    ) AS payment WHERE value_date >= starts_on AND amount <> 0
"""
_CHOSEN = "chosen AS NOT MATERIALIZED (SELECT * FROM arrangement WHERE {condition})"
# A walk through the days of each arrangement: payments, and the last days of grace, by which all instalments up to one have to be
# paid, but for the tolerance. A payment of that day is in time.
# Kept: all is paid and has cleared, or only a tolerated sum lacks after the last day of grace.
_ASSESSED = f"""
    WITH {_CHOSEN},
    day AS (
        SELECT arrangement_id, value_date AS day, FALSE AS is_test, amount, NULL::numeric AS due, NULL::numeric AS tolerance
        FROM ({_PAID}) AS paid
        UNION ALL
        SELECT arrangement_id, due_on + grace_days, TRUE, 0, sum(amount) OVER (PARTITION BY arrangement_id ORDER BY no),
            greatest(tolerance_amount, amount * tolerance_percent / 100)
        FROM chosen JOIN instalment ON instalment.arrangement_id = chosen.id WHERE due_on + grace_days < %(day)s::date
    ),
    walk AS (
        SELECT day.*, sum(amount) OVER (PARTITION BY arrangement_id ORDER BY day, is_test ROWS UNBOUNDED PRECEDING) AS paid
        FROM day
    ),
    judged AS (
        SELECT chosen.id, chosen.status, missed_to_break, coalesce(sum(amount), 0) AS paid,
            coalesce(sum(amount) FILTER (WHERE day <= %(day)s::date - clearing_days), 0) AS cleared,
            total, max(due) AS due, coalesce(max(tolerance), 0) AS tolerance,
            coalesce(array_agg(day + 1 ORDER BY day) FILTER (
                WHERE is_test AND due - walk.paid > tolerance AND day >= coalesce(reinstated_on, '-infinity')
            ), ARRAY[]::date[]) AS missed_on
        FROM chosen LEFT JOIN walk ON walk.arrangement_id = chosen.id
        GROUP BY chosen.id, chosen.status, missed_to_break, total
    ),
    state AS (
        SELECT *, cleared >= total OR (due = total AND total - cleared <= tolerance) IS TRUE AS is_kept FROM judged
    )
"""
_STATES = f"{_ASSESSED} SELECT id, paid, is_kept, missed_on FROM state"
# An instalment is paid by what is left of all payments after the instalments before it.
_STEPS = f"""{_ASSESSED}
    SELECT instalment.id, arrangement_id, no, agreed_on, due_on, amount, due_on + grace_days,
        least(amount, greatest(0, state.paid - sum(amount) OVER (PARTITION BY arrangement_id ORDER BY no) + amount)),
        due_on + grace_days + 1 = ANY(missed_on)
    FROM state JOIN chosen USING (id) JOIN instalment ON instalment.arrangement_id = chosen.id
    ORDER BY arrangement_id, no
"""
_CHANGED = "WHERE is_kept OR status = 'kept' OR (cardinality(missed_on) >= missed_to_break) <> (status = 'broken')"


class Step(NamedTuple):
    """An instalment, what is paid of it, and whether it was missed at the end of ``tested_on``, its last day of grace."""

    id: uuid.UUID
    arrangement_id: uuid.UUID
    no: int
    agreed_on: date
    due_on: date
    amount: Decimal
    tested_on: date
    paid: Decimal
    is_missed: bool

    @property
    def open(self) -> Decimal:
        return self.amount - self.paid


class State(NamedTuple):
    """The state of an arrangement: all that is paid, whether that keeps it, and from which days on instalments were missed."""

    id: uuid.UUID
    paid: Decimal
    is_kept: bool
    missed_on: list[date]


@dataclass(frozen=True)
class Chosen:
    """Which arrangements to assess: an SQL condition on ``arrangement``, and its parameters."""

    condition: str
    params: dict[str, Any]


def one_of(arrangement_ids: Collection[uuid.UUID]) -> Chosen:
    return Chosen("id = ANY(%(arrangements)s)", {"arrangements": list(arrangement_ids)})


#: Those that a payment or the passing of days can change.
RUNNING = Chosen("status IN ('active', 'broken')", {})


def steps(arrangement_ids: Collection[uuid.UUID], *, day: date) -> dict[uuid.UUID, list[Step]]:
    """Return the instalments of some arrangements, as they stand on the debtor's ``day``, by arrangement."""
    found: dict[uuid.UUID, list[Step]] = {pk: [] for pk in arrangement_ids}
    for row in _run(_STEPS, one_of(arrangement_ids), day):
        step = Step(*row)
        found[step.arrangement_id].append(step)
    return found


def next_of(steps: Iterable[Step]) -> Step | None:
    """Return the first instalment that is not paid in full; None if all are."""
    return next((step for step in steps if step.open > 0), None)


def missed_of(steps: Iterable[Step]) -> int:
    """Return how many instalments were missed and are still open."""
    return sum(step.is_missed and step.open > 0 for step in steps)


def states(chosen: Chosen, *, day: date) -> list[State]:
    """Return how arrangements stand on a day."""
    return [State(*row) for row in _run(_STATES, chosen, day)]


def changed(chosen: Chosen, *, day: date) -> list[State]:
    """Return those of some arrangements whose state on a day may differ from their status, by one statement for all."""
    return [State(*row) for row in _run(f"{_STATES} {_CHANGED}", chosen, day)]


def paid_by(arrangement: Arrangement, day: date) -> Decimal:
    """Return what is paid with a value date up to a day, in the arrangement's currency."""
    sql = f"WITH {_CHOSEN} SELECT sum(amount) FROM ({_PAID}) AS paid WHERE value_date <= %(day)s"
    ((paid,),) = _run(sql, one_of([arrangement.pk]), day)
    return paid or Decimal(0)


def _run(sql: str, chosen: Chosen, day: date) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(condition=chosen.condition), {"day": day, **chosen.params})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
