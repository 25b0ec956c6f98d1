"""Read dates and amounts that are written in another way than the API's, by the whole column and never by the row.

It looks only at columns in which ``checks`` found a fault, so an ordinary file costs nothing more.

- Dates: ``31/01/2026``, ``31.01.2026``, ``31-01-2026`` or ``01/31/2026``. A day above 12 shows the order. Without one, or with
  both orders or several forms in one column, they are refused. So are dates such as 2026-01-31 beside them if none has a day
  above 12: Excel makes such a column when it swaps the day and the month of those that it can read.
- Amounts: ``1.234,56`` or ``1,234.56``. Two values that can only be read in one way, and none that contradicts them, show what
  the signs mean. Any other column is refused, because a wrong guess is wrong by a factor of a thousand.
"""

from datetime import date
from typing import Any

from django.db import connection

from collection.placements import checks

_FORMS = {
    "iso": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "year_last": r"^([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})$",
    "midnight": r"[ T]00:00(:00(\.0+)?)?Z?$",
    "decimal_comma": r"^-?([0-9]+,[0-9]{1,2}|0,[0-9]+|[0-9]{1,3}(\.[0-9]{3})+,[0-9]+)$",
    "grouping_comma": r"^-?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+$",
    "decimal_point": r"^-?[0-9]+\.[0-9]+$",
}
_CUT_MIDNIGHT = """
    UPDATE placement_row SET {column} = regexp_replace({column}, %(midnight)s, '') WHERE {column} ~ %(midnight)s
"""
_DATES = """
    SELECT count(DISTINCT parts[2]), coalesce(max(parts[1]::integer), 0), coalesce(max(parts[3]::integer), 0),
        count(*) FILTER (WHERE value ~ %(iso)s), bool_or(value ~ %(iso)s AND right(value, 2) > '12')
    FROM (SELECT {column} AS value, regexp_match({column}, %(year_last)s) AS parts FROM placement_row) AS written
"""
_WRITE_DATES = r"""
    UPDATE placement_row SET {column} =
        regexp_replace(regexp_replace({column}, %(year_last)s, %(order)s), '-([0-9])(?=-|$)', '-0\1', 'g')
    WHERE {column} ~ %(year_last)s
"""
_DAY_FIRST, _MONTH_FIRST = r"\4-\3-\1", r"\4-\1-\3"
_AMOUNTS = """
    SELECT count(*) FILTER (WHERE {column} ~ %(decimal_comma)s), count(*) FILTER (WHERE {column} ~ %(grouping_comma)s),
        count(*) FILTER (WHERE {column} ~ %(decimal_point)s)
    FROM placement_row
"""
_WRITE_AMOUNTS = """
    UPDATE placement_row SET {column} = replace(replace({column}, %(grouping)s, ''), %(decimal)s, '.') WHERE {column} ~ %(form)s
"""
#: Fewer values than this may be typing errors.
_LEAST = 2
_EXPLAIN = """
    UPDATE placement_refusal SET reason = %(reason)s
    WHERE column_name = %(name)s AND line IN (SELECT line FROM placement_row WHERE {column} ~ %(form)s)
"""
_REFUSE = """
    INSERT INTO placement_refusal SELECT line, %(name)s, %(reason)s FROM placement_row
    WHERE {column} ~ %(form)s AND line NOT IN (SELECT line FROM placement_refusal WHERE column_name = %(name)s)
"""


def read(*, today: date) -> None:
    """Write the values of faulty columns in the API's form where the column shows how to read them, and check them again."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT column_name FROM placement_refusal")
        faulty = {row[0] for row in cursor.fetchall()}
    written = [name for name, column in checks.DATES.items() if name in faulty and _read_dates(name, column)]
    written += [name for name, column in checks.NUMBERS.items() if name in faulty and _read_amounts(name, column)]
    if written:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM placement_refusal WHERE column_name = ANY(%s)", [written])
        checks.check(today=today, only=written)


def _read_dates(name: str, column: str) -> bool:
    """Return whether dates were rewritten; explain those that can't be read."""
    is_cut = _execute(_CUT_MIDNIGHT, column) > 0
    forms, first, second, iso, iso_settled = _fetch(_DATES, column)
    if not forms:
        return is_cut
    why = None
    if iso or forms > 1:
        why = "This column has dates in several forms. Write all of them like 2026-01-31."
    elif (first > 12) == (second > 12):
        why = "This column does not show which number is the day. Write dates like 2026-01-31."
    if why is None:
        return _execute(_WRITE_DATES, column, order=_DAY_FIRST if first > 12 else _MONTH_FIRST) > 0
    _execute(_EXPLAIN, column, form=_FORMS["year_last"], name=name, reason=why)
    if iso and not iso_settled:
        why = "This column has dates in several forms, so day and month may be swapped. Write all of them like 2026-01-31."
        _execute(_REFUSE, column, form=_FORMS["iso"], name=name, reason=why)
    return False


def _read_amounts(name: str, column: str) -> bool:
    """Return whether amounts were rewritten; explain those that can't be read."""
    decimal_commas, grouping_commas, decimal_points = _fetch(_AMOUNTS, column)
    if decimal_commas >= _LEAST and not (grouping_commas or decimal_points):
        return _execute(_WRITE_AMOUNTS, column, grouping=".", decimal=",", form=_FORMS["decimal_comma"]) > 0
    if grouping_commas >= _LEAST and not decimal_commas:
        return _execute(_WRITE_AMOUNTS, column, grouping=",", decimal=".", form=_FORMS["grouping_comma"]) > 0
    why = "This column does not show what its commas mean. Write amounts like 1234.56."
    for form in ("decimal_comma", "grouping_comma"):
        _execute(_EXPLAIN, column, form=_FORMS[form], name=name, reason=why)
    return False


def _execute(sql: str, column: str, **values: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(column=column), {**_FORMS, **values})
        return int(cursor.rowcount)


def _fetch(sql: str, column: str) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql.format(column=column), _FORMS)
        return tuple(cursor.fetchone())
