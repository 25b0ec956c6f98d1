"""Today's date at a debtor's location, in each possible time zone."""

from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo

from ddc.common.days import FIRST, LAST, later
from debtors.models import Debtor
from debtors.zones import possible_zones, time_zone

__all__ = ["FIRST", "LAST", "days", "later", "today"]


def days(debtor: Debtor, *, at: datetime) -> frozenset[date]:
    """Return the possible dates at the debtor's location; without any location, all dates of the world at that moment."""
    zones = possible_zones(**_location(debtor))
    clocks: list[tzinfo] = [ZoneInfo(zone) for zone in zones] or [LAST, FIRST]
    return frozenset(at.astimezone(clock).date() for clock in clocks)


def today(debtor: Debtor, *, at: datetime) -> date:
    """Return the date that counts towards a debtor: that of the most likely time zone, else the earliest possible one.

    The earliest date is the one in the debtor's favour: nothing is overdue before it is so on every clock.
    """
    zone = time_zone(**_location(debtor))
    return at.astimezone(ZoneInfo(zone)).date() if zone else min(days(debtor, at=at))


def _location(debtor: Debtor) -> dict[str, str | None]:
    return {
        "country_code": debtor.country_code,
        "region_state": debtor.region_state,
        "mobile_phone": debtor.mobile_phone,
    }
