"""When the messages of due debts expire: at the end of the last day that their rule allows, where the debtor lives.

The ends are computed once for each day and place, in this session's table ``strategy_end``.
"""

from itertools import zip_longest

from django.db import connection

from ddc.common.reference import countries
from debtors import calendars

_FIELDS = ("country_code", "region_state", "city", "postal_code", "mobile_phone")
_SEPARATOR = "\x1f"
#: SQL of the last day on which a message may go. Python knows no later one, and the day after it is needed.
LAST_DAY = "least(occurrence + max_lateness_days, '9999-12-30'::date)"
_SEVERAL_ZONES = ", ".join(f"'{country}'" for country, zones in sorted(countries.zones().items()) if len(zones) > 1)
#: SQL of what gives a debtor's clock: the address in as much detail as its country needs, or the phone of one without a country.
PLACE = f"""CASE
    WHEN debtor.country_code IS NULL THEN concat_ws(E'\\x1f', '', '', '', '', debtor.mobile_phone)
    WHEN debtor.country_code IN ({_SEVERAL_ZONES}) THEN concat_ws(
        E'\\x1f', debtor.country_code, coalesce(debtor.region_state, ''), coalesce(debtor.city, ''),
        coalesce(debtor.postal_code, '')
    )
    ELSE debtor.country_code
END"""
_INSERT = "INSERT INTO strategy_end SELECT * FROM unnest(%s::date[], %s::text[], %s::timestamptz[])"


def store_ends() -> None:
    """Compute when the messages of the due debts expire."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE strategy_end (last_day date, place text, expires_at timestamptz)")
        cursor.execute("SELECT DISTINCT last_day, place FROM strategy_due")
        keys = cursor.fetchall()
        ends = [calendars.end_of(day, **_location(place)) for day, place in keys]
        cursor.execute(_INSERT, [[day for day, _ in keys], [place for _, place in keys], ends])


def drop_ends() -> None:
    """Drop the table of ends."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS strategy_end")


def _location(place: str) -> dict[str, str | None]:
    return dict(zip_longest(_FIELDS, (part or None for part in place.split(_SEPARATOR))))
