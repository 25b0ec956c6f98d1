"""Today's date at a debtor's location, in each possible time zone."""

from datetime import date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from debtors.models import Debtor
from debtors.zones import possible_zones

#: The time zones that are furthest behind and ahead of UTC.
LAST, FIRST = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))


def days(debtor: Debtor, *, at: datetime) -> frozenset[date]:
    """Return the possible dates at the debtor's location; without any location, all dates of the world at that moment."""
    zones = possible_zones(
        country_code=debtor.country_code, region_state=debtor.region_state, mobile_phone=debtor.mobile_phone
    )
    clocks: list[tzinfo] = [ZoneInfo(zone) for zone in zones] or [LAST, FIRST]
    return frozenset(at.astimezone(clock).date() for clock in clocks)


def later(day: date, *, days: int) -> date:
    """Return the day so many days later, at most the last day of the calendar: an entered date may be any day."""
    return min(date.max - day, timedelta(days=days)) + day
