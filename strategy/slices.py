"""Slices of a run: ranges of debtor ids, each processed in a transaction of its own by whichever worker is free.

A slice is claimed by locking its row, so the claim ends with the worker's transaction, however the worker ends. A slice that was
not committed is open again. All debts of a person are in one slice, so their messages follow the order of the rules.
"""

import uuid

from django.db import connection

from strategy.models import StrategyRun, StrategySlice

#: The number of debtors of a slice.
SIZE = 25_000
_BOUNDS = """
    SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS number FROM debtor) AS debtor
    WHERE number %% %(size)s = 1 ORDER BY id
"""


def create(run: StrategyRun) -> None:
    """Divide the debtors into slices. The first and the last one are open-ended, for debtors who are entered meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(_BOUNDS, {"size": max(SIZE, 2)})
        bounds: list[uuid.UUID | None] = [row[0] for row in cursor.fetchall()]
    edges = [None, *bounds[1:], None]
    StrategySlice.objects.bulk_create(
        StrategySlice(run=run, number=number, first_debtor=edges[number - 1], next_debtor=edges[number])
        for number in range(1, len(edges))
    )


def claim(run: StrategyRun) -> StrategySlice | None:
    """Claim a slice that is neither done nor claimed, until the transaction ends."""
    waiting = StrategySlice.objects.filter(run=run, done_at=None).order_by("number")
    return waiting.select_for_update(skip_locked=True, no_key=True).first()


def condition(part: StrategySlice) -> str:
    """Return SQL of whether a ``debt`` belongs to a slice."""
    bounds = ((">=", part.first_debtor), ("<", part.next_debtor))
    return " AND ".join(f"debt.debtor_id {sign} '{debtor}'::uuid" for sign, debtor in bounds if debtor) or "true"
