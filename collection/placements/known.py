# ruff: noqa: S608 -- the statements are composed of constants
"""Which rows of a placement file are debts that are known already, and which contradict them?

- With a reference: the debt of the same creditor and reference, unless it is recalled. A row that gives it another debtor,
  currency or original balance is refused. So is a row with a reference that differs from such a debt's only in leading zeros, if
  debtor, creditor, currency, original balance and day are the same: a spreadsheet may have dropped them.
- Without one: debts of the same debtor, creditor, currency and original balance, and placement date if the row has one. The n-th
  equal row is the n-th such debt, because two equal debts are two debts, and the same file twice still adds nothing.
"""

from django.db import connection

from collection.placements import matching
from collection.placements.people import Person, difference, same_text_sql

# A debt with a reference is known by it. A second row with the reference duplicates the first.
_BY_REFERENCE = """
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
    WHERE duplicate_of IN (SELECT line FROM placement_refusal UNION ALL SELECT line FROM placement_parked)
"""

_KEY = "debtor_id, creditor_id, currency_code, original_balance"
_FIND_PRESENT = f"""
    INSERT INTO placement_present
    SELECT {_KEY}, placement_date, count(*) FROM debt JOIN (
        SELECT DISTINCT {_KEY} FROM placement WHERE normal_reference IS NULL AND debtor_id IS NOT NULL
    ) AS row USING ({_KEY})
    WHERE debt.normal_reference IS NULL AND debt.current_status <> 'recalled' GROUP BY {_KEY}, placement_date
"""
# PostgreSQL takes four equal columns for independent ones, expects one row where there are thousands, and would look at each
# pair of rows. All tables of this statement are read as a whole.
_BY_FIELDS = f"""
    WITH numbered AS (
        SELECT line, {_KEY}, given_date,
            row_number() OVER (PARTITION BY {_KEY}, given_date ORDER BY line) + %(equal_rows)s AS nth
        FROM placement JOIN (SELECT DISTINCT {_KEY} FROM placement_present) AS present USING ({_KEY})
        WHERE normal_reference IS NULL
    ),
    dated AS (
        SELECT line, {_KEY} FROM numbered JOIN placement_present USING ({_KEY}) WHERE placement_date = given_date AND nth <= debts
    ),
    -- Rows without a date take what the rows with one leave.
    left_over AS (
        SELECT {_KEY}, total - coalesce(taken, 0) AS debts
        FROM (SELECT {_KEY}, sum(debts) AS total FROM placement_present GROUP BY {_KEY}) AS every
        LEFT JOIN (SELECT {_KEY}, count(*) AS taken FROM dated GROUP BY {_KEY}) AS used USING ({_KEY})
    )
    UPDATE placement SET is_known = TRUE WHERE line IN (
        SELECT line FROM dated
        UNION ALL SELECT line FROM numbered JOIN left_over USING ({_KEY}) WHERE given_date IS NULL AND nth <= debts
    )
"""
_EQUAL_ROWS = f"""
    SELECT line, first FROM placement JOIN (
        SELECT {_KEY}, placement_date, min(line) AS first FROM placement
        WHERE normal_reference IS NULL AND debtor_id IS NOT NULL AND NOT is_known
        GROUP BY {_KEY}, placement_date HAVING count(*) > 1
    ) AS equal USING ({_KEY}, placement_date)
    WHERE normal_reference IS NULL AND NOT is_known AND line > first ORDER BY line
"""

_ZEROS = "'Reference %%s of the same debt differs only in leading zeros. Place it by hand if it is another debt.'"
_SAME_DEBT = f"""
    {" AND ".join(f"other.{column} = placement.{column}" for column in _KEY.split(", "))}
    AND (placement.given_date IS NULL OR other.placement_date = placement.placement_date)
    AND other.normal_reference <> placement.normal_reference
"""
_NEW_REFERENCE = "placement.normal_reference IS NOT NULL AND placement.debtor_id IS NOT NULL AND NOT placement.is_known"
# The conditions are those of the partial index of references with zeros, and of the unique one of references.
_REFUSE_DROPPED_ZEROS = f"""
    WITH alike AS (
        SELECT placement.line, other.external_reference FROM placement JOIN debt AS other ON {_SAME_DEBT}
            AND other.normal_reference LIKE '0%%'
            AND ltrim(other.normal_reference, '0') = ltrim(placement.normal_reference, '0')
        WHERE {_NEW_REFERENCE} AND other.current_status <> 'recalled'
        UNION ALL
        SELECT placement.line, other.external_reference FROM placement JOIN debt AS other ON {_SAME_DEBT}
            AND other.normal_reference = ltrim(placement.normal_reference, '0')
        WHERE {_NEW_REFERENCE} AND other.current_status <> 'recalled' AND placement.normal_reference LIKE '0%%'
        UNION ALL
        SELECT greatest(placement.line, other.line),
            CASE WHEN placement.line > other.line THEN other.external_reference ELSE placement.external_reference END
        FROM placement JOIN placement AS other ON {_SAME_DEBT}
            AND ltrim(other.normal_reference, '0') = ltrim(placement.normal_reference, '0')
        WHERE {_NEW_REFERENCE} AND NOT other.is_known AND placement.normal_reference LIKE '0%%'
    )
    INSERT INTO placement_refusal
    SELECT line, 'externalReference', format({_ZEROS}, min(external_reference)) FROM alike GROUP BY line
"""
_DROP_REFUSED = """
    UPDATE placement SET debtor_id = NULL WHERE debtor_id IS NOT NULL AND line IN (SELECT line FROM placement_refusal)
"""

# Only rows that another transaction placed between the look and the insert are not marked yet.
_MARK_PLACED_BY_OTHERS = """
    UPDATE placement SET is_known = TRUE
    WHERE debtor_id IS NOT NULL AND NOT is_known AND NOT EXISTS (SELECT FROM debt WHERE debt.id = placement.id)
"""
_DEBT_OF_ROW = """
    placement JOIN debt ON debt.creditor_id = placement.creditor_id AND debt.normal_reference = placement.normal_reference
        AND debt.current_status <> 'recalled' AND debt.id <> placement.id
"""
_REFUSE_OTHER_MONEY = f"""
    INSERT INTO placement_refusal
    SELECT line, CASE WHEN debt.currency_code <> placement.currency_code THEN 'currencyCode' ELSE 'originalBalance' END,
        format('The debt with this reference was placed with %%s %%s.', trim_scale(debt.original_balance), debt.currency_code)
    FROM {_DEBT_OF_ROW}
    WHERE placement.is_known
        AND (debt.currency_code, debt.original_balance) <> (placement.currency_code, placement.original_balance)
"""
_HAS_OTHER_OWNER = """
    (by_email.id IS NOT NULL OR by_phone.id IS NOT NULL)
    AND (by_email.id = owner.id) IS NOT TRUE AND (by_phone.id = owner.id) IS NOT TRUE
    AND NOT EXISTS (
        SELECT FROM contact_point WHERE debtor_id = owner.id AND is_another_persons
        AND value IN (placement.normal_email, placement.normal_phone)
    )
"""
_DOUBTFUL_OWNERS = f"""
    SELECT line, placement.first_name, placement.last_name, placement.legal_entity, placement.dob,
        owner.id, owner.first_name, owner.last_name, owner.legal_entity, owner.dob,
        {_HAS_OTHER_OWNER}, placement.normal_email IS NOT NULL
    FROM {_DEBT_OF_ROW}
    JOIN debtor AS owner ON owner.id = debt.debtor_id
    LEFT JOIN debtor AS by_email ON by_email.normal_email = placement.normal_email
    LEFT JOIN debtor AS by_phone ON by_phone.normal_phone = placement.normal_phone
    WHERE placement.is_known AND (NOT {same_text_sql("placement", "owner")} OR ({_HAS_OTHER_OWNER}))
"""
_OTHER_DEBTOR = "The debt with this reference is another debtor's."


def mark_by_reference() -> None:
    """Mark the rows with a known reference, and rows that repeat a reference."""
    _execute(_BY_REFERENCE)


def release_duplicates() -> bool:
    """Take a row by itself if the first row with its reference was refused or parked; return whether there are any."""
    return _execute(_RELEASE_DUPLICATES) > 0


def mark_by_fields(*, equal_rows: int) -> None:
    """Mark the rows without a reference that are known debts; ``equal_rows`` like them were placed before."""
    if _execute(_FIND_PRESENT):
        _execute("SET LOCAL enable_nestloop = off")
        _execute(_BY_FIELDS, equal_rows=equal_rows)
        _execute("SET LOCAL enable_nestloop = on")


def refuse_dropped_zeros() -> None:
    """Refuse rows with a reference that differs from that of the same debt only in leading zeros."""
    if _execute(_REFUSE_DROPPED_ZEROS):
        _execute(_DROP_REFUSED)


def equal_rows() -> list[tuple[int, int]]:
    """Return the lines of equal rows without a reference that are to be placed, each with the first of them."""
    with connection.cursor() as cursor:
        cursor.execute(_EQUAL_ROWS)
        return [(line, first) for line, first in cursor.fetchall()]


def mark_placed_by_others() -> None:
    """Mark the rows that another transaction placed at the same time."""
    _execute(_MARK_PLACED_BY_OTHERS)


def refuse_contradictions() -> None:
    """Refuse known rows that contradict their debt."""
    _execute(_REFUSE_OTHER_MONEY)
    with connection.cursor() as cursor:
        cursor.execute(_DOUBTFUL_OWNERS)
        rows = cursor.fetchall()
        same = matching.decided_same({row[5] for row in rows}) if rows else set()
        refused: list[tuple[object, ...]] = []
        for line, *names, debtor_id, first_name, last_name, legal_entity, dob, has_other_owner, has_email in rows:
            person = Person(*names)
            is_same = (debtor_id, person.form, person.dob) in same
            column = None if is_same else difference(person, Person(first_name, last_name, legal_entity, dob))
            if column is None and has_other_owner:
                column = "email" if has_email else "mobilePhone"
            if column:
                refused.append((line, column, _OTHER_DEBTOR))
    matching.copy("placement_refusal (line, column_name, reason)", refused)


def _execute(sql: str, **params: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)
