"""Public holidays of countries and their regions, and business days."""

from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache

import holidays

from debtors.places import regions

_SATURDAY = 5


def is_business_day(day: date, country: str, region: str = "") -> bool:
    """Check whether banks are open: on Monday to Friday, but for public holidays; arguments as for ``is_holiday``."""
    return day.weekday() < _SATURDAY and not is_holiday(day, country, region)


def is_holiday(day: date, country: str, region: str = "", *, national: bool = False) -> bool:
    """Check whether a day is a public holiday of a country or of that region of it; of any region if that is not known.

    :param country: ISO 3166-1 alpha-2
    :param region: ISO 3166-2 without the country; empty: not known
    :param national: leave out the holidays that only regions have
    """
    return day in _holidays(country, region, day.year, national)


@lru_cache(maxsize=4096)
def _holidays(country: str, region: str, year: int, national: bool = False) -> frozenset[date]:
    if country not in holidays.list_supported_countries():
        return frozenset()
    known = holidays.country_holidays(country).subdivisions
    possible = [region] if region else [code for its, code in regions.names() if its == country]
    codes: list[str | None] = [code for code in possible if code in known]
    calendars = [holidays.country_holidays(country, subdiv=code, years=year) for code in codes or [None]]
    everywhere = set(_names(holidays.country_holidays(country, years=year).values()))
    # A region may keep a national holiday on another day, too: "Christmas Day (observed)".
    return frozenset(
        day
        for calendar in calendars
        for day, names in calendar.items()
        if not national or everywhere & set(_names([names]))
    )


def _names(days: Iterable[str]) -> Iterator[str]:
    return (name.split(" (")[0] for names in days for name in names.split("; "))
