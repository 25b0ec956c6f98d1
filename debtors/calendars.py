"""What day it is for a debtor, by every clock where they may be."""

from datetime import date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from debtors.models import Debtor
from debtors.zones import possible_zones

#: The clocks that are furthest behind and ahead of UTC: somewhere it is the day that one of these shows.
LAST, FIRST = timezone(timedelta(hours=-12)), timezone(timedelta(hours=14))


def days(debtor: Debtor, *, at: datetime) -> frozenset[date]:
    """Return what day it may be for a debtor; where nothing is known of them, every day that it is anywhere."""
    zones = possible_zones(
        country_code=debtor.country_code, region_state=debtor.region_state, mobile_phone=debtor.mobile_phone
    )
    clocks: list[tzinfo] = [ZoneInfo(zone) for zone in zones] or [LAST, FIRST]
    return frozenset(at.astimezone(clock).date() for clock in clocks)


def later(day: date, *, days: int) -> date:
    """Add days, up to the last one that the calendar has: a date that people gave us may be any."""
    return min(date.max - day, timedelta(days=days)) + day
