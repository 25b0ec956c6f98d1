# ruff: noqa: S608 -- the statements are composed of constants
"""Keep the rows of a placement file that wait for a person's decision."""

import uuid
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection

from collection.placements.file import COLUMNS

_CELLS = ", ".join(f"'{name}', row.{column}" for name, column in COLUMNS.items())
# A row that waits already is not kept twice. Equal rows without a reference are debts of their own, so they are counted.
_PARK = f"""
    WITH waiting AS (
        SELECT line, debtor_id, name_form, dob::date, row.normal_reference IS NULL AS is_counted,
            jsonb_strip_nulls(jsonb_build_object({_CELLS})) AS cells
        FROM placement_parked JOIN placement_row AS row USING (line)
    ),
    hashed AS (
        SELECT *, encode(sha256(convert_to(cells::text, 'UTF8')), 'hex') AS digest,
            CASE WHEN is_counted THEN row_number() OVER (PARTITION BY cells ORDER BY line) ELSE 1 END AS occurrence
        FROM waiting
    ),
    added AS (
        INSERT INTO parked_placement (
            id, created_at, updated_at, debtor_id, row, line, digest, occurrence, name_form, dob, placed_on
        )
        SELECT uuidv7(), %(now)s, %(now)s, debtor_id, cells, line, digest, occurrence, name_form, dob, %(today)s
        FROM hashed ORDER BY line
        ON CONFLICT (digest, occurrence) WHERE decision IS NULL DO NOTHING
        RETURNING id, digest, occurrence
    )
    SELECT line, column_name, reason, coalesce(added.id, (
        SELECT id FROM parked_placement AS kept
        WHERE kept.digest = hashed.digest AND kept.occurrence = hashed.occurrence AND decision IS NULL
    ))
    FROM hashed JOIN placement_parked USING (line) LEFT JOIN added USING (digest, occurrence) ORDER BY line
"""


@dataclass(frozen=True)
class ParkedRow:
    """A parked row: its line, the column with the known address, the reason, and the id of the row that waits.

    The id is None if another transaction parked the same row at the same time.
    """

    line: int
    column: str
    reason: str
    id: uuid.UUID | None


def park(*, today: date, now: datetime) -> list[ParkedRow]:
    """Keep the parked rows of the file that is being loaded."""
    with connection.cursor() as cursor:
        cursor.execute(_PARK, {"today": today, "now": now})
        return [ParkedRow(*row) for row in cursor.fetchall()]
