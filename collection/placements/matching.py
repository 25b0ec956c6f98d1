# ruff: noqa: S608 -- the statements are composed of constants
"""Find or create the debtor of each row of a placement file, and park the rows that a person has to judge.

A row belongs to the debtor with its e-mail address or its phone, in any spelling, unless its name or date of birth is another's.
Rows with the same text as their debtor are matched in SQL. The few others are judged in Python by the normal forms of names: an
address can be shared, a name be spelled in another way, or a former decision have settled it.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from operator import itemgetter

from django.db import connection, models

from collection.models import ParkedPlacement
from collection.placements.people import Person, difference, same_text_sql
from debtors.models import Debtor

_FIELDS = [*Debtor.input_fields(), *Debtor.normal_forms()]
DEBTOR_COLUMNS = ", ".join(field.name for field in _FIELDS)
DEBTOR_VALUES = ", ".join(
    f"{field.name}::date" if isinstance(field, models.DateField) else field.name for field in _FIELDS
)

_OPEN_ROWS = """
    placement.debtor_id IS NULL AND NOT placement.is_known
    AND placement.line NOT IN (SELECT line FROM placement_refusal)
    AND placement.line NOT IN (SELECT line FROM placement_parked)
"""
_SHARED = "(SELECT value FROM contact_point WHERE is_another_persons AND kind = '{kind}')"
_FIND = f"""
    SELECT placement.line, by_email.id AS by_email, by_phone.id AS by_phone,
        (by_email.id = by_phone.id) IS NOT FALSE AND CASE WHEN by_email.id IS NOT NULL
            THEN {same_text_sql("placement", "by_email")} ELSE {same_text_sql("placement", "by_phone")} END
        AND (normal_email_is_shared OR normal_phone_is_shared) IS NOT TRUE AS is_plain,
        (normal_email_is_shared OR normal_phone_is_shared) IS TRUE AS is_shared
    FROM (
        SELECT *, normal_email IN {_SHARED.format(kind="email")} AS normal_email_is_shared,
            normal_phone IN {_SHARED.format(kind="phone")} AS normal_phone_is_shared
        FROM placement
    ) AS placement
    LEFT JOIN debtor AS by_email ON by_email.normal_email = placement.normal_email
    LEFT JOIN debtor AS by_phone ON by_phone.normal_phone = placement.normal_phone
    WHERE {_OPEN_ROWS}
"""
_MATCH = f"""
    WITH found AS MATERIALIZED ({_FIND}),
    doubtful AS (
        INSERT INTO placement_doubt
        SELECT line FROM found WHERE NOT is_plain AND (by_email IS NOT NULL OR by_phone IS NOT NULL OR is_shared)
    )
    UPDATE placement SET debtor_id = coalesce(found.by_email, found.by_phone) FROM found
    WHERE found.line = placement.line AND coalesce(found.by_email, found.by_phone) IS NOT NULL AND is_plain
"""
_CANDIDATES = """
    SELECT line, placement.first_name, placement.last_name, placement.legal_entity, placement.dob,
        candidate.kind, candidate.owns, debtor.id,
        debtor.first_name, debtor.last_name, debtor.legal_entity, debtor.dob
    FROM placement_doubt JOIN placement USING (line) CROSS JOIN LATERAL (
        SELECT id, 'email' AS kind, TRUE AS owns FROM debtor WHERE normal_email = placement.normal_email
        UNION ALL SELECT id, 'phone', TRUE FROM debtor WHERE normal_phone = placement.normal_phone
        UNION ALL SELECT debtor_id, kind, FALSE FROM contact_point
        WHERE is_another_persons AND kind = 'email' AND value = placement.normal_email
        UNION ALL SELECT debtor_id, kind, FALSE FROM contact_point
        WHERE is_another_persons AND kind = 'phone' AND value = placement.normal_phone
    ) AS candidate JOIN debtor ON debtor.id = candidate.id
    ORDER BY line, owns DESC, kind
"""
# A debtor is created from the first row with its address and its phone, so that no debtor is created twice. The order by address
# fills the pages of its index one after the other.
_CREATE_DEBTORS = f"""
    WITH first_row AS (
        SELECT *, row_number() OVER (PARTITION BY normal_email ORDER BY line) AS by_email,
            row_number() OVER (PARTITION BY normal_phone ORDER BY line) AS by_phone
        FROM placement
        WHERE {_OPEN_ROWS} AND num_nonnulls(first_name, last_name, legal_entity) > 0
            AND num_nonnulls(normal_email, normal_phone) > 0
    )
    INSERT INTO debtor (id, created_at, updated_at, {DEBTOR_COLUMNS})
    SELECT uuidv7(), %(now)s, %(now)s, {DEBTOR_COLUMNS}
    FROM first_row WHERE (normal_email IS NULL OR by_email = 1) AND (normal_phone IS NULL OR by_phone = 1)
    ORDER BY normal_email
    ON CONFLICT DO NOTHING
"""
# Nothing but its reference identifies such a row, so it is another person's than any other row's.
_CREATE_WITHOUT_ADDRESS = f"""
    WITH person AS (
        UPDATE placement SET debtor_id = uuidv7()
        WHERE {_OPEN_ROWS} AND num_nonnulls(normal_email, normal_phone) = 0
            AND num_nonnulls(first_name, last_name, legal_entity) > 0
        RETURNING placement.*
    )
    INSERT INTO debtor (id, created_at, updated_at, {DEBTOR_COLUMNS})
    SELECT debtor_id, %(now)s, %(now)s, {DEBTOR_COLUMNS} FROM person
"""
_REFUSE_UNNAMED = f"""
    INSERT INTO placement_refusal
    SELECT line, 'firstName', 'A new debtor needs firstName, lastName or legalEntity.' FROM placement WHERE {_OPEN_ROWS}
"""
_COLUMNS = {"email": "email", "phone": "mobilePhone"}
_ADDRESSES = {"email": "e-mail address", "phone": "phone"}


@dataclass(frozen=True)
class _Candidate:
    """A debtor who has a row's e-mail address or phone, or shares it with its owner."""

    kind: str
    owns: bool
    debtor_id: uuid.UUID
    contradicts: str | None


def match(*, now: datetime) -> int:
    """Find or create the debtor of each open row; return the number created.

    Another row may match a debtor just created, so this repeats until a round finds and creates none. The rows left then
    have no name.
    """
    created: int = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute("TRUNCATE placement_doubt")
            cursor.execute(_MATCH)
            matched = cursor.rowcount
            _judge_doubtful()
            cursor.execute(_CREATE_DEBTORS, {"now": now})
            new: int = cursor.rowcount
            created += new
            if not (matched or new):
                break
        cursor.execute(_CREATE_WITHOUT_ADDRESS, {"now": now})
        created += cursor.rowcount
        cursor.execute(_REFUSE_UNNAMED)
    return created


def decided_same(debtors: Iterable[uuid.UUID]) -> set[tuple[uuid.UUID, str, date | None]]:
    """Return the names and dates of birth that were decided to be these debtors', with one query."""
    same = ParkedPlacement.objects.filter(debtor__any_of=debtors, decision=ParkedPlacement.Decision.SAME)
    return set(same.values_list("debtor", "name_form", "dob"))


def _judge_doubtful() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_CANDIDATES)
        rows = cursor.fetchall()
        if not rows:
            return
        same = decided_same({row[7] for row in rows})
        matched, parked, refused = [], [], []
        for line, its in groupby(rows, key=itemgetter(0)):
            found = list(its)
            person, candidates = Person(*found[0][1:5]), []
            for _, _, _, _, _, kind, owns, debtor_id, *of_debtor in found:
                is_same = (debtor_id, person.form, person.dob) in same
                contradicts = None if is_same else difference(person, Person(*of_debtor))
                candidates.append(_Candidate(kind, owns, debtor_id, contradicts))
            verdict = _verdict(candidates)
            if isinstance(verdict, uuid.UUID):
                matched.append((line, verdict))
            elif isinstance(verdict, _Candidate):
                parked.append((line, verdict.debtor_id, person.form, _COLUMNS[verdict.kind], _why(verdict)))
            else:
                refused.append((line, *verdict))
        copy("placement_found (line, debtor_id)", matched)
        copy("placement_parked (line, debtor_id, name_form, column_name, reason)", parked)
        copy("placement_refusal (line, column_name, reason)", refused)
        cursor.execute(
            "UPDATE placement SET debtor_id = found.debtor_id FROM placement_found AS found WHERE found.line = placement.line"
        )
        cursor.execute("TRUNCATE placement_found")


def _verdict(candidates: list[_Candidate]) -> uuid.UUID | _Candidate | tuple[str, str]:
    """Return the debtor of a row, the candidate of whom a person has to decide, or the column and reason of a refusal."""
    agreeing = {one.debtor_id for one in candidates if one.contradicts is None}
    if len(agreeing) > 1:
        if len({one.debtor_id for one in candidates if one.owns}) > 1:
            return "mobilePhone", "Another debtor has this phone."
        return "dob", "Several debtors with this name share the address. Enter the date of birth."
    if not agreeing:
        return candidates[0]
    (debtor,) = agreeing
    for other in candidates:
        if other.owns and other.debtor_id != debtor:
            shares = any(one.debtor_id == debtor and one.kind == other.kind for one in candidates)
            if not shares:
                return other
    return debtor


def _why(other: _Candidate) -> str:
    fact = "another date of birth" if other.contradicts == "dob" else "another name"
    return f"The debtor with this {_ADDRESSES[other.kind]} has {fact}."


def copy(table: str, rows: Iterable[tuple[object, ...]]) -> None:
    """Copy rows into a staging table; ``table`` names its columns too."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
