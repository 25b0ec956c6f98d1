# ruff: noqa: S608 -- the statements are composed of constants
"""Turn the checked rows of a placement file into creditors, debtors, debts and ledger entries.

The number of statements does not grow with the file. ``matching`` finds or creates the debtor of each row, ``known`` the debts
that are known already. Known debtors and known debts are never changed.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection

from collection.models import DebtStatus, LedgerEntry
from collection.placements import known, matching, parking
from collection.placements.matching import DEBTOR_VALUES
from collection.placements.parking import ParkedRow
from collection.segments import assignment
from creditors.models import Creditor

# Spellings with the same normal form are one creditor; a new one takes the first spelling in the file. A creditor that another
# transaction creates at the same time is waited for and used. The lock prevents their deletion until the debts are committed.
_CREATE_CREDITORS = """
    WITH named AS (
        INSERT INTO creditor_name (creditor_id, name, normal_form)
        SELECT uuidv7(), original_creditor, creditor_form FROM placement_row
        WHERE line IN (
            SELECT min(line) FROM placement_row WHERE line NOT IN (SELECT line FROM placement_refusal) GROUP BY creditor_form
        )
        ON CONFLICT DO NOTHING RETURNING creditor_id, name
    )
    INSERT INTO creditor (id, name) SELECT creditor_id, name FROM named RETURNING id
"""
_LOCK_CREDITORS = """
    SELECT FROM creditor JOIN creditor_name ON creditor_name.creditor_id = creditor.id
    WHERE normal_form IN (SELECT creditor_form FROM placement_row) ORDER BY creditor.id FOR KEY SHARE OF creditor
"""

_TYPED = f"""
    CREATE TEMPORARY TABLE placement ON COMMIT DROP AS
    SELECT line, uuidv7() AS id, %(debtor)s::uuid AS debtor_id, FALSE AS is_known, NULL::integer AS duplicate_of,
        {DEBTOR_VALUES},
        creditor_id, external_reference, normal_reference, currency_code,
        original_balance::numeric(20, 4) AS original_balance,
        coalesce(current_balance, original_balance)::numeric(20, 4) AS current_balance,
        coalesce(current_status, 'active') AS current_status,
        placement_date::date AS given_date, coalesce(placement_date::date, %(today)s) AS placement_date,
        coalesce(interest, '0')::numeric(20, 4) AS interest, coalesce(costs, '0')::numeric(20, 4) AS costs,
        coalesce(fees, '0')::numeric(20, 4) AS fees, interest_from::date,
        due_date::date, p2p_score::numeric(4, 3) AS p2p_score, segment_id::uuid AS given_segment_id
    FROM placement_row JOIN creditor_name ON normal_form = creditor_form
    WHERE line NOT IN (SELECT line FROM placement_refusal)
"""

# Without statistics of all columns in conditions, PostgreSQL expects a few rows and looks each one up by itself.
_ANALYZED = (
    "line, debtor_id, is_known, duplicate_of, normal_email, normal_phone, creditor_id, normal_reference, currency_code, "
    "original_balance"
)
_PLACE = f"""
    WITH {assignment.of_cells("placement", condition="debt.debtor_id IS NOT NULL AND NOT debt.is_known")}
    INSERT INTO debt (
        id, created_at, updated_at, debtor_id, segment_id, segment_is_pinned, creditor_id, external_reference,
        normal_reference, currency_code, original_balance, current_balance, current_status, hand_status,
        hand_status_by_id, hand_status_at, placement_date, due_date, p2p_score, balance_interest, balance_costs,
        balance_fees, is_itemized, interest_from
    )
    SELECT debt.id, %(now)s, %(now)s, debt.debtor_id,
        CASE WHEN debt.given_segment_id IS NOT NULL THEN debt.given_segment_id WHEN current_balance > 0 THEN fit END,
        debt.given_segment_id IS NOT NULL, creditor_id, external_reference, normal_reference, debt.currency_code,
        original_balance, current_balance, CASE WHEN current_balance > 0 THEN current_status ELSE %(paid)s END,
        nullif(current_status, 'active'), CASE WHEN current_status <> 'active' THEN %(by)s::uuid END,
        CASE WHEN current_status <> 'active' THEN %(now)s::timestamptz END, placement_date, due_date, p2p_score,
        interest, costs, fees, interest + costs + fees > 0, interest_from
    FROM candidate AS debt JOIN of_cell USING (cell) ORDER BY line
    ON CONFLICT (creditor_id, normal_reference) WHERE current_status <> 'recalled' DO NOTHING
"""
_COUNT_KNOWN = "SELECT count(*) FROM placement WHERE is_known AND line NOT IN (SELECT line FROM placement_refusal)"
# The placement, then the adjustment to the current balance, as debts.place posts them. A placement takes its debt's id, because
# the random part of an id costs as much as writing the entry.
_POST = """
    INSERT INTO ledger_entry (id, debt_id, kind, amount, {parts}currency_code, value_date, by_id, cause)
    SELECT {id}, debt.id, %(kind)s::text, {amount}, {parts}debt.currency_code, {value_date}, %(by)s::uuid,
        '{{"type": "placement"}}'::jsonb
    FROM placement JOIN debt USING (id) {where} ORDER BY line
"""


@dataclass(frozen=True)
class Decided:
    """The debtor of a row that was parked, and the number of equal rows that were placed for the debtor before."""

    debtor: uuid.UUID
    equal_rows: int = 0


@dataclass(frozen=True)
class Posted:
    """The numbers of new debts, new debtors, and rows with a known debt; the parked rows; and the lines of equal rows."""

    debts: int
    debtors: int
    known: int
    parked: list[ParkedRow]
    equal: list[tuple[int, int]]


def post(*, by_id: uuid.UUID | None, decided: Decided | None, today: date, now: datetime) -> Posted:
    """Find or create the creditors and debtors of all correct rows, place their debts and post them."""
    with connection.cursor() as cursor:
        cursor.execute(_CREATE_CREDITORS)
        creditors = [row[0] for row in cursor.fetchall()]
        cursor.execute(_LOCK_CREDITORS)
        cursor.execute(_TYPED, {"today": today, "debtor": decided.debtor if decided else None})
        cursor.execute(f"ANALYZE placement ({_ANALYZED})")
        known.mark_by_reference()
        debtors = matching.match(now=now)
        if known.release_duplicates():
            debtors += matching.match(now=now)
        cursor.execute("ANALYZE placement (debtor_id)")
        known.mark_by_fields(equal_rows=decided.equal_rows if decided else 0)
        known.refuse_dropped_zeros()
        equal = known.equal_rows()
        debts = _place(cursor, by_id=by_id, today=today, now=now)
        known.refuse_contradictions()
        parked = parking.park(today=today, now=now)
        cursor.execute(_COUNT_KNOWN)
        rows_known = int(cursor.fetchone()[0])
    Creditor.objects.filter(pk__in=creditors, debts__isnull=True).delete()
    return Posted(debts=debts, debtors=debtors, known=rows_known, parked=parked, equal=equal)


def _place(cursor: Any, *, by_id: uuid.UUID | None, today: date, now: datetime) -> int:
    """Place the debts of the rows that have a debtor and are not known, and post them; return their number."""
    cursor.execute("SELECT count(*) FROM placement WHERE debtor_id IS NOT NULL AND NOT is_known")
    rows = int(cursor.fetchone()[0])
    cursor.execute(_PLACE, {"now": now, "today": today, "paid": DebtStatus.PAID.value, "by": by_id})
    debts = int(cursor.rowcount)
    if debts < rows:
        known.mark_placed_by_others()
    params: dict[str, Any] = {"by": by_id, "kind": LedgerEntry.Kind.PLACEMENT.value}
    cursor.execute(
        _POST.format(
            id="debt.id",
            amount="debt.original_balance",
            parts="interest, costs, fees, ",
            value_date="debt.placement_date",
            where="",
        ),
        params,
    )
    params |= {"kind": LedgerEntry.Kind.ADJUSTMENT.value, "today": today}
    cursor.execute(
        _POST.format(
            id="uuidv7()",
            amount="debt.current_balance - debt.original_balance",
            parts="",
            value_date="%(today)s::date",
            where="WHERE debt.current_balance <> debt.original_balance",
        ),
        params,
    )
    return debts
