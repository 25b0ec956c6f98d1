"""The agency's day, and the bounds of dates that are plausible.

Towards a debtor the debtor's day counts instead: ``debtors.calendars.today``.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import DateField, Func

from agency import profile
from ddc.common.errors import OutOfRange
from ddc.common.zones import zone_info

#: The time zones that are furthest behind and ahead of UTC.
LAST, FIRST = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))
_SATURDAY = 5
#: How many years ahead a due date or the date of an expected payment may lie. One further off is a typing error.
YEARS_AHEAD = 10
#: The first plausible date of each field. An earlier one is a typing error, such as the year 1 or 1800.
EARLIEST = {
    "dob": date(1900, 1, 1),
    "placement_date": date(1970, 1, 1),
    "due_date": date(1970, 1, 1),
    "interest_from": date(1970, 1, 1),
    "payment_date": date(1970, 1, 1),
}


class ImplausibleDate(OutOfRange):
    """The date is likely a typing error."""


@dataclass(frozen=True)
class Bounds:
    """The first and the last plausible date of a field."""

    first: date
    last: date

    def check(self, day: date, *, field: str) -> None:
        """Check that a date lies within the bounds.

        :raises ImplausibleDate: if it does not
        """
        if not self.first <= day <= self.last:
            raise ImplausibleDate(self.message, field=field)

    @property
    def message(self) -> str:
        return f"This date is not plausible. Enter one from {self.first} to {self.last}."


def agency_today(now: datetime) -> date:
    """Return the agency's date at a moment."""
    return now.astimezone(agency_zone()).date()


class AgencyToday(Func):
    """The agency's date at the time of a query, in SQL."""

    output_field = DateField()

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, list[Any]]:
        return "(statement_timestamp() AT TIME ZONE %s)::date", [profile.current().time_zone]


def agency_zone() -> ZoneInfo:
    """Return the agency's time zone."""
    return zone_info(profile.current().time_zone)


def working_days_before(now: datetime, days: int) -> datetime:
    """Return the moment so many of the agency's working days, Monday to Friday, before."""
    moment = now.astimezone(agency_zone())
    while days:
        moment -= timedelta(days=1)
        days -= moment.weekday() < _SATURDAY
    return moment


def begun(now: datetime) -> date:
    """Return the latest date that has begun anywhere on earth."""
    return now.astimezone(FIRST).date()


def plausible(field: str, *, today: date) -> Bounds:
    """Return the bounds of a field: nobody is born and no debt is placed in the future.

    Between the agency and the place of an event there is at most a day, so the last day is tomorrow.
    """
    if field in ("dob", "placement_date"):
        return Bounds(EARLIEST[field], later(today, days=1))
    return Bounds(EARLIEST[field], _years_later(today, YEARS_AHEAD))


def later(day: date, *, days: int) -> date:
    """Return the day so many days later, at most the last day of the calendar."""
    return min(date.max - day, timedelta(days=days)) + day


def _years_later(day: date, years: int) -> date:
    if day.year + years > date.max.year:
        return date.max
    return (day.replace(day=28) if (day.month, day.day) == (2, 29) else day).replace(year=day.year + years)
