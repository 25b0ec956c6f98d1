# ruff: noqa: S608 -- the statements are composed of our own constants
"""How an arrangement stands: what is paid of each instalment, and whether it is kept, missed or broken.

Nothing of this is stored. It follows from the schedule and from the payments in the ledger, in the order of the instalments, so
that payments entered late and payments taken back need no repair. A payment counts with its value date, unless it was reversed,
charged back or refunded.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from arrangements.models import Arrangement

# Money that went back is taken from its payment, with the payment's value date: as if it had never come.
_PAID = """
    SELECT part.arrangement_id, entry.value_date, -sum(entry.amount + coalesce(back.amount, 0)) AS amount
    FROM chosen JOIN arrangement_debt AS part ON part.arrangement_id = chosen.id
    JOIN ledger_entry AS entry ON entry.debt_id = part.debt_id AND entry.kind = 'payment'
        AND entry.value_date >= chosen.starts_on
    LEFT JOIN LATERAL (
        SELECT sum(amount) AS amount FROM ledger_entry AS back
        WHERE back.refers_to_id = entry.id AND back.kind IN ('chargeback', 'refund')
            AND NOT EXISTS (SELECT FROM ledger_entry AS undone WHERE undone.reverses_id = back.id)
    ) AS back ON TRUE
    WHERE NOT EXISTS (SELECT FROM ledger_entry AS undone WHERE undone.reverses_id = entry.id)
    GROUP BY part.arrangement_id, entry.value_date
"""
# ``tested_on``: the last day of grace. At its end, all instalments up to this one have to be paid, but for the tolerance.
_TESTED = f"""
    WITH chosen AS MATERIALIZED (SELECT * FROM arrangement WHERE {{condition}}),
    paid AS MATERIALIZED ({_PAID}),
    step AS (
        SELECT instalment.*, chosen.missed_to_break, chosen.reinstated_on, chosen.clearing_days, chosen.total,
            sum(instalment.amount) OVER (PARTITION BY instalment.arrangement_id ORDER BY instalment.no) AS due_so_far,
            instalment.due_on + chosen.grace_days AS tested_on,
            greatest(chosen.tolerance_amount, instalment.amount * chosen.tolerance_percent / 100) AS tolerance
        FROM chosen JOIN instalment ON instalment.arrangement_id = chosen.id
    ),
    money AS (
        SELECT step.id, sum(paid.amount) AS all_paid,
            sum(paid.amount) FILTER (WHERE paid.value_date <= step.tested_on) AS in_time,
            sum(paid.amount) FILTER (WHERE paid.value_date <= %(day)s::date - step.clearing_days) AS cleared
        FROM step JOIN paid ON paid.arrangement_id = step.arrangement_id
        GROUP BY step.id
    ),
    tested AS (
        SELECT step.*, coalesce(in_time, 0) AS paid_in_time, coalesce(all_paid, 0) AS all_paid, coalesce(cleared, 0) AS cleared
        FROM step LEFT JOIN money ON money.id = step.id
    )
"""
_IS_MISSED = "tested_on < %(day)s::date AND due_so_far - paid_in_time > tolerance"
_STEPS = f"""
    {_TESTED}
    SELECT id, arrangement_id, no, agreed_on, due_on, amount, tested_on,
        least(amount, greatest(0, all_paid - (due_so_far - amount))) AS paid, {_IS_MISSED} AS is_missed
    FROM tested ORDER BY arrangement_id, no
"""
# Kept: all is paid and has cleared, or only a tolerated sum lacks after the last day of grace.
_STATES = f"""
    {_TESTED},
    state AS (
        SELECT arrangement_id, max(all_paid) AS paid,
            bool_or(due_so_far = total AND (
                cleared >= total OR (tested_on < %(day)s::date AND total - cleared <= tolerance)
            )) AS is_kept,
            array_agg(tested_on + 1 ORDER BY no) FILTER (
                WHERE {_IS_MISSED} AND tested_on >= coalesce(reinstated_on, '-infinity')
            ) AS missed_on
        FROM tested GROUP BY arrangement_id
    )
    SELECT arrangement.id, state.paid, state.is_kept, coalesce(state.missed_on, ARRAY[]::date[]) AS missed_on
    FROM state JOIN arrangement ON arrangement.id = state.arrangement_id
"""
_CHANGED = """
    WHERE state.is_kept OR arrangement.status = 'kept'
        OR (coalesce(cardinality(state.missed_on), 0) >= arrangement.missed_to_break) <> (arrangement.status = 'broken')
"""


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
    """How an arrangement stands: all that is paid, whether that keeps it, and from which days on instalments were missed."""

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


def next_step(arrangement: Arrangement, *, day: date) -> Step | None:
    """Return the first instalment that is not paid in full; None if all are."""
    return next((step for step in steps([arrangement.pk], day=day)[arrangement.pk] if step.open > 0), None)


def states(chosen: Chosen, *, day: date) -> list[State]:
    """Return how arrangements stand on a day."""
    return [State(*row) for row in _run(_STATES, chosen, day)]


def changed(chosen: Chosen, *, day: date) -> list[State]:
    """Return those of some arrangements with a state on a day that may differ from their status, by one statement for all."""
    return [State(*row) for row in _run(_STATES + _CHANGED, chosen, day)]


def paid_by(arrangement: Arrangement, day: date) -> Decimal:
    """Return what is paid with a value date up to a day, in the arrangement's currency."""
    sql = f"WITH chosen AS (SELECT * FROM arrangement WHERE {{condition}}), paid AS ({_PAID}) SELECT sum(amount) FROM paid"
    ((paid,),) = _run(f"{sql} WHERE value_date <= %(day)s", one_of([arrangement.pk]), day)
    return paid or Decimal(0)


def _run(sql: str, chosen: Chosen, day: date) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(condition=chosen.condition), {"day": day, **chosen.params})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
