# ruff: noqa: S608 -- the statements are put together from constants alone
"""From checked rows of a placement file to debtors, debts and their ledger, in a few statements however long the file is.

A row belongs to the debtor who has its e-mail address (whatever its case) or its phone; one who isn't known yet is entered from
the first row that names them. A known debtor's own fields are never changed, nor a known debt's anything.
"""

import uuid
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import connection, models

from collection.models import DebtStatus, LedgerEntry
from collection.segments.assignment import BEST_FIT
from creditors.models import Creditor
from debtors.models import Debtor

# Spellings with the same normal form are one creditor; a new one takes the first spelling in the file. The lock keeps the
# creditors from being deleted until their debts are committed.
_CREATE_CREDITORS = """
    WITH named AS (
        INSERT INTO creditor_name (creditor_id, name, normal_form)
        SELECT DISTINCT ON (creditor_form) uuidv7(), original_creditor, creditor_form FROM placement_row
        WHERE line NOT IN (SELECT line FROM placement_refusal) ORDER BY creditor_form, line
        ON CONFLICT DO NOTHING RETURNING creditor_id, name
    )
    INSERT INTO creditor (id, name) SELECT creditor_id, name FROM named RETURNING id
"""
_LOCK_CREDITORS = """
    SELECT FROM creditor JOIN creditor_name ON creditor_name.creditor_id = creditor.id
    WHERE normal_form IN (SELECT creditor_form FROM placement_row) ORDER BY creditor.id FOR KEY SHARE OF creditor
"""

_DEBTOR_COLUMNS = ", ".join(field.name for field in Debtor.input_fields())
_DEBTOR_VALUES = ", ".join(
    f"{field.name}::date" if isinstance(field, models.DateField) else field.name for field in Debtor.input_fields()
)

_TYPED = f"""
    CREATE TEMPORARY TABLE placement ON COMMIT DROP AS
    SELECT line, uuidv7() AS id, NULL::uuid AS debtor_id, FALSE AS is_known, NULL::integer AS twin_of,
        {_DEBTOR_VALUES},
        creditor_id, external_reference, currency_code, original_balance::numeric(20, 4) AS original_balance,
        coalesce(current_balance, original_balance)::numeric(20, 4) AS current_balance,
        coalesce(current_status, 'active') AS current_status,
        placement_date::date AS given_date, coalesce(placement_date::date, %(today)s) AS placement_date,
        due_date::date, p2p_score::numeric(4, 3) AS p2p_score, segment_id::uuid AS given_segment_id
    FROM placement_row JOIN creditor_name ON normal_form = creditor_form
    WHERE line NOT IN (SELECT line FROM placement_refusal)
"""

_OPEN_ROWS = """
    placement.debtor_id IS NULL AND NOT placement.is_known
    AND placement.line NOT IN (SELECT line FROM placement_refusal)
"""

# What has a reference is known by it, whoever the debtor is; the second row of one reference is the first one's twin.
_KNOWN_BY_REFERENCE = """
    WITH twin AS (
        SELECT line, min(line) OVER (PARTITION BY creditor_id, external_reference) AS first
        FROM placement WHERE external_reference IS NOT NULL
    )
    UPDATE placement SET is_known = TRUE, twin_of = CASE WHEN twin.line > twin.first THEN twin.first END
    FROM twin WHERE twin.line = placement.line AND (twin.line > twin.first OR EXISTS (
        SELECT FROM debt WHERE debt.creditor_id = placement.creditor_id
          AND debt.external_reference = placement.external_reference AND debt.current_status <> 'recalled'
    ))
"""
_FREE_TWINS = """
    UPDATE placement SET is_known = FALSE, twin_of = NULL
    WHERE twin_of IN (SELECT line FROM placement_refusal)
"""

_FIND = f"""
    SELECT placement.line, by_email.id AS by_email, by_phone.id AS by_phone FROM placement
    LEFT JOIN debtor AS by_email ON lower(by_email.email) = lower(placement.email)
    LEFT JOIN debtor AS by_phone ON by_phone.mobile_phone = placement.mobile_phone
    WHERE {_OPEN_ROWS}
"""
# One look at the debtors both finds a row's and refuses the row whose address is one debtor's and whose phone another's.
_MATCH = f"""
    WITH found AS MATERIALIZED ({_FIND}),
    torn AS (
        INSERT INTO placement_refusal
        SELECT line, 'mobilePhone', 'Another debtor has this phone.' FROM found WHERE by_email <> by_phone
    )
    UPDATE placement SET debtor_id = coalesce(found.by_email, found.by_phone) FROM found
    WHERE found.line = placement.line AND coalesce(found.by_email, found.by_phone) IS NOT NULL
      AND (found.by_email <> found.by_phone) IS NOT TRUE
"""
# A founder is the first of its address and of its phone, so that two founders never are one debtor. Entered by address, they come
# to the same pages of the indexes over addresses together.
_FOUND = f"""
    WITH nameable AS (
        SELECT *, row_number() OVER (PARTITION BY lower(email) ORDER BY line) AS of_email,
            row_number() OVER (PARTITION BY mobile_phone ORDER BY line) AS of_phone
        FROM placement
        WHERE {_OPEN_ROWS} AND (legal_entity IS NOT NULL OR (first_name IS NOT NULL AND last_name IS NOT NULL))
    )
    INSERT INTO debtor (
        id, created_at, updated_at, {_DEBTOR_COLUMNS}
    )
    SELECT uuidv7(), %(now)s, %(now)s, {_DEBTOR_COLUMNS}
    FROM nameable WHERE of_email = 1 AND (mobile_phone IS NULL OR of_phone = 1) ORDER BY lower(email)
    ON CONFLICT DO NOTHING
"""
_REFUSE_NAMELESS = f"""
    INSERT INTO placement_refusal
    SELECT line, CASE WHEN first_name IS NULL THEN 'firstName' ELSE 'lastName' END,
        'A debtor needs firstName and lastName, or legalEntity.'
    FROM placement WHERE {_OPEN_ROWS}
"""

# Without a reference a debt is known by all that doesn't move; a row without a date is the same debt on whatever day it came.
_KNOWN_BY_FACTS = """
    WITH again AS (
        SELECT line, row_number() OVER (
            PARTITION BY debtor_id, creditor_id, currency_code, original_balance, given_date ORDER BY line
        ) AS number
        FROM placement WHERE external_reference IS NULL AND debtor_id IS NOT NULL
    )
    UPDATE placement SET is_known = TRUE FROM again
    WHERE again.line = placement.line AND (again.number > 1 OR EXISTS (
        SELECT FROM debt WHERE debt.debtor_id = placement.debtor_id AND debt.external_reference IS NULL
          AND debt.creditor_id = placement.creditor_id AND debt.currency_code = placement.currency_code
          AND debt.original_balance = placement.original_balance AND debt.current_status <> 'recalled'
          AND debt.placement_date = coalesce(placement.given_date, debt.placement_date)
    ))
"""

_PLACE = f"""
    INSERT INTO debt (
        id, created_at, updated_at, debtor_id, segment_id, segment_is_pinned, creditor_id, external_reference,
        currency_code, original_balance, current_balance, current_status, status_before_closing, placement_date, due_date,
        p2p_score
    )
    SELECT debt.id, %(now)s, %(now)s, debt.debtor_id,
        CASE WHEN debt.given_segment_id IS NOT NULL THEN debt.given_segment_id WHEN current_balance > 0 THEN {BEST_FIT} END,
        debt.given_segment_id IS NOT NULL, creditor_id, external_reference, debt.currency_code, original_balance,
        current_balance, CASE WHEN current_balance > 0 THEN current_status ELSE %(paid)s END,
        CASE WHEN current_balance > 0 THEN NULL ELSE current_status END, placement_date, due_date, p2p_score
    FROM placement AS debt WHERE debt.debtor_id IS NOT NULL AND NOT debt.is_known ORDER BY line
    ON CONFLICT (creditor_id, external_reference) WHERE current_status <> 'recalled' DO NOTHING
"""
# The placement first, then what is not open of it any more, as debts.place posts them.
_POST = """
    INSERT INTO ledger_entry (id, debt_id, kind, amount, currency_code, value_date, by_id, cause)
    SELECT uuidv7(), debt.id, %(kind)s::text, {amount}, debt.currency_code, {value_date}, %(by)s::uuid,
        '{{"type": "placement"}}'::jsonb
    FROM placement JOIN debt USING (id) {where} ORDER BY line
"""


@dataclass(frozen=True)
class Posted:
    """How many debts and debtors came in, and which rows' debts were there already."""

    debts: int
    debtors: int
    known: int


def post(*, by_id: uuid.UUID | None, today: date, now: datetime) -> Posted:
    """Enter and match the debtors of all rows that nothing is wrong with, place their debts, and post them."""
    with connection.cursor() as cursor:
        cursor.execute(_CREATE_CREDITORS)
        created = [row[0] for row in cursor.fetchall()]
        cursor.execute(_LOCK_CREDITORS)
        cursor.execute(_TYPED, {"today": today})
        cursor.execute("ANALYZE placement (line, email, mobile_phone, creditor_id, external_reference)")
        cursor.execute(_KNOWN_BY_REFERENCE)
        debtors = _match(now=now)
        cursor.execute(_FREE_TWINS)
        if cursor.rowcount:
            debtors += _match(now=now)
        cursor.execute(_KNOWN_BY_FACTS)
        cursor.execute("SELECT count(*) FROM placement WHERE debtor_id IS NOT NULL OR is_known")
        taken = int(cursor.fetchone()[0])
        cursor.execute(_PLACE, {"now": now, "today": today, "paid": DebtStatus.PAID.value})
        debts = cursor.rowcount
        facts: dict[str, Any] = {"by": by_id, "kind": LedgerEntry.Kind.PLACEMENT.value}
        cursor.execute(_POST.format(amount="debt.original_balance", value_date="debt.placement_date", where=""), facts)
        facts |= {"kind": LedgerEntry.Kind.ADJUSTMENT.value, "today": today}
        cursor.execute(
            _POST.format(
                amount="debt.current_balance - debt.original_balance",
                value_date="%(today)s::date",
                where="WHERE debt.current_balance <> debt.original_balance",
            ),
            facts,
        )
    Creditor.objects.filter(pk__in=created, debts__isnull=True).delete()
    return Posted(debts=debts, debtors=debtors, known=taken - debts)


def _match(*, now: datetime) -> int:
    """Find each row's debtor, or enter them; return how many were entered.

    Who was just entered may be known by another row, so there is another round, until one neither finds nor enters anybody:
    the rows that are left then name nobody.
    """
    entered: int = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_MATCH)
            matched = cursor.rowcount
            cursor.execute(_FOUND, {"now": now})
            founded: int = cursor.rowcount
            entered += founded
            if not (matched or founded):
                break
        cursor.execute(_REFUSE_NAMELESS)
    return entered
