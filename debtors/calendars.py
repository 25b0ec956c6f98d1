"""Today's date at a debtor's location, in each possible time zone."""

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache

from ddc.common.days import FIRST, LAST, later
from ddc.common.zones import zone_info
from debtors.models import Debtor
from debtors.zones import possible_zones, time_zone

__all__ = ["FIRST", "LAST", "days", "end_of", "later", "today"]


def days(debtor: Debtor, *, at: datetime) -> frozenset[date]:
    """Return the possible dates at the debtor's location; without any location, all dates of the world at that moment."""
    zones = possible_zones(**_address(debtor), mobile_phone=debtor.mobile_phone)
    clocks: list[tzinfo] = [zone_info(zone) for zone in zones] or [LAST, FIRST]
    return frozenset(at.astimezone(clock).date() for clock in clocks)


def today(debtor: Debtor, *, at: datetime) -> date:
    """Return the date that counts towards a debtor: that of the most likely time zone, else the earliest possible one.

    The earliest date is the one in the debtor's favour: nothing is overdue before it is so on every clock.
    """
    zone = time_zone(**_address(debtor))
    return at.astimezone(zone_info(zone)).date() if zone else min(days(debtor, at=at))


def end_of(
    day: date,
    *,
    country_code: str | None,
    region_state: str | None = None,
    city: str | None = None,
    postal_code: str | None = None,
    mobile_phone: str | None = None,
) -> datetime:
    """Return when a day ends at a location: by the most likely clock, else by the first of the possible ones, or in UTC."""
    address = {
        "country_code": country_code, "region_state": region_state, "city": city, "postal_code": postal_code,
    }  # fmt: skip
    likely = time_zone(**address)
    return _end_of(day, frozenset({likely}) if likely else possible_zones(**address, mobile_phone=mobile_phone))


@lru_cache(maxsize=16_384)
def _end_of(day: date, zones: frozenset[str]) -> datetime:
    midnight = datetime.combine(day + timedelta(days=1), time())
    return min(midnight.replace(tzinfo=zone_info(zone)).astimezone(UTC) for zone in zones or {"UTC"})


def _address(debtor: Debtor) -> dict[str, str | None]:
    return {
        "country_code": debtor.country_code,
        "region_state": debtor.region_state,
        "city": debtor.city,
        "postal_code": debtor.postal_code,
    }
