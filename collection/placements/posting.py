# ruff: noqa: S608 -- the statements are composed of constants
"""Turn the checked rows of a placement file into creditors, debtors, debts and ledger entries.

The number of statements does not grow with the file. A row belongs to the debtor with its e-mail address or its phone, in any
spelling: addresses and references are compared by the normal forms that were staged with them. A new debtor takes the fields of
the first row. Known debtors and known debts are never changed.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, models

from collection.models import DebtStatus, LedgerEntry
from collection.segments import assignment
from creditors.models import Creditor
from debtors.models import Debtor

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

_DEBTOR_FIELDS = [*Debtor.input_fields(), *Debtor.normal_forms()]
_DEBTOR_COLUMNS = ", ".join(field.name for field in _DEBTOR_FIELDS)
_DEBTOR_VALUES = ", ".join(
    f"{field.name}::date" if isinstance(field, models.DateField) else field.name for field in _DEBTOR_FIELDS
)

_TYPED = f"""
    CREATE TEMPORARY TABLE placement ON COMMIT DROP AS
    SELECT line, uuidv7() AS id, NULL::uuid AS debtor_id, FALSE AS is_known, NULL::integer AS duplicate_of,
        {_DEBTOR_VALUES},
        creditor_id, external_reference, normal_reference, currency_code,
        original_balance::numeric(20, 4) AS original_balance,
        coalesce(current_balance, original_balance)::numeric(20, 4) AS current_balance,
        coalesce(current_status, 'active') AS current_status,
        placement_date::date AS given_date, coalesce(placement_date::date, %(today)s) AS placement_date,
        due_date::date, p2p_score::numeric(4, 3) AS p2p_score, segment_id::uuid AS given_segment_id
    FROM placement_row JOIN creditor_name ON normal_form = creditor_form
    WHERE line NOT IN (SELECT line FROM placement_refusal)
"""

# Without statistics of all columns in conditions, PostgreSQL expects a few rows and looks each one up by itself.
_ANALYZED = (
    "line, debtor_id, is_known, duplicate_of, normal_email, normal_phone, creditor_id, normal_reference, currency_code, "
    "original_balance"
)
_OPEN_ROWS = """
    placement.debtor_id IS NULL AND NOT placement.is_known
    AND placement.line NOT IN (SELECT line FROM placement_refusal)
"""

# A debt with a reference is known by it, whatever the debtor. A second row with the reference duplicates the first.
_KNOWN_BY_REFERENCE = """
    WITH repeated AS (
        SELECT line, min(line) OVER (PARTITION BY creditor_id, normal_reference) AS first
        FROM placement WHERE normal_reference IS NOT NULL
    )
    UPDATE placement SET is_known = TRUE, duplicate_of = CASE WHEN repeated.line > repeated.first THEN repeated.first END
    FROM repeated WHERE repeated.line = placement.line AND (repeated.line > repeated.first OR EXISTS (
        SELECT FROM debt WHERE debt.creditor_id = placement.creditor_id
          AND debt.normal_reference = placement.normal_reference AND debt.current_status <> 'recalled'
    ))
"""
_RELEASE_DUPLICATES = """
    UPDATE placement SET is_known = FALSE, duplicate_of = NULL
    WHERE duplicate_of IN (SELECT line FROM placement_refusal)
"""

_FIND = f"""
    SELECT placement.line, by_email.id AS by_email, by_phone.id AS by_phone FROM placement
    LEFT JOIN debtor AS by_email ON by_email.normal_email = placement.normal_email
    LEFT JOIN debtor AS by_phone ON by_phone.normal_phone = placement.normal_phone
    WHERE {_OPEN_ROWS}
"""
# Finds the debtor of each row, and refuses conflicting rows: the address of one debtor and the phone of another.
_MATCH = f"""
    WITH found AS MATERIALIZED ({_FIND}),
    conflicting AS (
        INSERT INTO placement_refusal
        SELECT line, 'mobilePhone', 'Another debtor has this phone.' FROM found WHERE by_email <> by_phone
    )
    UPDATE placement SET debtor_id = coalesce(found.by_email, found.by_phone) FROM found
    WHERE found.line = placement.line AND coalesce(found.by_email, found.by_phone) IS NOT NULL
      AND (found.by_email <> found.by_phone) IS NOT TRUE
"""
# A debtor is created from the first row with its address and its phone, so that no debtor is created twice. The order by address
# fills the pages of its index one after the other.
_CREATE_DEBTORS = f"""
    WITH first_row AS (
        SELECT *, row_number() OVER (PARTITION BY normal_email ORDER BY line) AS by_email,
            row_number() OVER (PARTITION BY normal_phone ORDER BY line) AS by_phone
        FROM placement
        WHERE {_OPEN_ROWS} AND num_nonnulls(first_name, last_name, legal_entity) > 0
    )
    INSERT INTO debtor (id, created_at, updated_at, {_DEBTOR_COLUMNS})
    SELECT uuidv7(), %(now)s, %(now)s, {_DEBTOR_COLUMNS}
    FROM first_row WHERE by_email = 1 AND (normal_phone IS NULL OR by_phone = 1) ORDER BY normal_email
    ON CONFLICT DO NOTHING
"""
_REFUSE_UNNAMED = f"""
    INSERT INTO placement_refusal
    SELECT line, 'firstName', 'A debtor needs firstName or lastName, or legalEntity.'
    FROM placement WHERE {_OPEN_ROWS}
"""

# A debt without a reference is known by its debtor, creditor and original balance, and by its placement date if the row has one.
_REPEATED_BY_FIELDS = """
    UPDATE placement SET is_known = TRUE FROM (
        SELECT debtor_id, creditor_id, currency_code, original_balance, given_date, min(line) AS first_line FROM placement
        WHERE normal_reference IS NULL AND debtor_id IS NOT NULL
        GROUP BY debtor_id, creditor_id, currency_code, original_balance, given_date HAVING count(*) > 1
    ) AS repeated
    WHERE placement.normal_reference IS NULL AND placement.line > first_line
      AND placement.debtor_id = repeated.debtor_id AND placement.creditor_id = repeated.creditor_id
      AND placement.currency_code = repeated.currency_code AND placement.original_balance = repeated.original_balance
      AND placement.given_date IS NOT DISTINCT FROM repeated.given_date
"""
_KNOWN_BY_FIELDS = """
    UPDATE placement SET is_known = TRUE FROM debt
    WHERE placement.normal_reference IS NULL AND debt.debtor_id = placement.debtor_id AND debt.normal_reference IS NULL
      AND debt.creditor_id = placement.creditor_id AND debt.currency_code = placement.currency_code
      AND debt.original_balance = placement.original_balance AND debt.current_status <> 'recalled'
      AND debt.placement_date = coalesce(placement.given_date, debt.placement_date)
"""

_PLACE = f"""
    WITH {assignment.of_cells("placement", condition="debt.debtor_id IS NOT NULL AND NOT debt.is_known")}
    INSERT INTO debt (
        id, created_at, updated_at, debtor_id, segment_id, segment_is_pinned, creditor_id, external_reference,
        normal_reference, currency_code, original_balance, current_balance, current_status, hand_status,
        hand_status_by_id, hand_status_at, placement_date, due_date, p2p_score
    )
    SELECT debt.id, %(now)s, %(now)s, debt.debtor_id,
        CASE WHEN debt.given_segment_id IS NOT NULL THEN debt.given_segment_id WHEN current_balance > 0 THEN fit END,
        debt.given_segment_id IS NOT NULL, creditor_id, external_reference, normal_reference, debt.currency_code,
        original_balance, current_balance, CASE WHEN current_balance > 0 THEN current_status ELSE %(paid)s END,
        nullif(current_status, 'active'), CASE WHEN current_status <> 'active' THEN %(by)s::uuid END,
        CASE WHEN current_status <> 'active' THEN %(now)s::timestamptz END, placement_date, due_date, p2p_score
    FROM candidate AS debt JOIN of_cell USING (cell) ORDER BY line
    ON CONFLICT (creditor_id, normal_reference) WHERE current_status <> 'recalled' DO NOTHING
"""
# The placement, then the adjustment to the current balance, as debts.place posts them. A placement takes its debt's id, because
# the random part of an id costs as much as writing the entry.
_POST = """
    INSERT INTO ledger_entry (id, debt_id, kind, amount, currency_code, value_date, by_id, cause)
    SELECT {id}, debt.id, %(kind)s::text, {amount}, debt.currency_code, {value_date}, %(by)s::uuid,
        '{{"type": "placement"}}'::jsonb
    FROM placement JOIN debt USING (id) {where} ORDER BY line
"""


@dataclass(frozen=True)
class Posted:
    """The numbers of new debts, new debtors, and rows with a known debt."""

    debts: int
    debtors: int
    known: int


def post(*, by_id: uuid.UUID | None, today: date, now: datetime) -> Posted:
    """Find or create the creditors and debtors of all correct rows, place their debts and post them."""
    with connection.cursor() as cursor:
        cursor.execute(_CREATE_CREDITORS)
        creditors = [row[0] for row in cursor.fetchall()]
        cursor.execute(_LOCK_CREDITORS)
        cursor.execute(_TYPED, {"today": today})
        cursor.execute(f"ANALYZE placement ({_ANALYZED})")
        cursor.execute(_KNOWN_BY_REFERENCE)
        debtors = _match(now=now)
        cursor.execute(_RELEASE_DUPLICATES)
        if cursor.rowcount:
            debtors += _match(now=now)
        cursor.execute("ANALYZE placement (debtor_id)")
        cursor.execute(_REPEATED_BY_FIELDS)
        cursor.execute(_KNOWN_BY_FIELDS)
        cursor.execute("SELECT count(*) FROM placement WHERE debtor_id IS NOT NULL OR is_known")
        taken = int(cursor.fetchone()[0])
        cursor.execute(_PLACE, {"now": now, "today": today, "paid": DebtStatus.PAID.value, "by": by_id})
        debts = cursor.rowcount
        params: dict[str, Any] = {"by": by_id, "kind": LedgerEntry.Kind.PLACEMENT.value}
        cursor.execute(
            _POST.format(id="debt.id", amount="debt.original_balance", value_date="debt.placement_date", where=""),
            params,
        )
        params |= {"kind": LedgerEntry.Kind.ADJUSTMENT.value, "today": today}
        cursor.execute(
            _POST.format(
                id="uuidv7()",
                amount="debt.current_balance - debt.original_balance",
                value_date="%(today)s::date",
                where="WHERE debt.current_balance <> debt.original_balance",
            ),
            params,
        )
    Creditor.objects.filter(pk__in=creditors, debts__isnull=True).delete()
    return Posted(debts=debts, debtors=debtors, known=taken - debts)


def _match(*, now: datetime) -> int:
    """Find or create the debtor of each row; return the number created.

    Another row may match a debtor just created, so this repeats until a round finds and creates none. The rows left then
    have no name.
    """
    created: int = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_MATCH)
            matched = cursor.rowcount
            cursor.execute(_CREATE_DEBTORS, {"now": now})
            new: int = cursor.rowcount
            created += new
            if not (matched or new):
                break
        cursor.execute(_REFUSE_UNNAMED)
    return created
