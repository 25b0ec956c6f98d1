"""Where a debtor may be, as IANA time zones."""

from functools import lru_cache

import phonenumbers
from phonenumbers import timezone as phone_timezone

from ddc.common.reference import countries
from debtors.regions import ZONES

_UNKNOWN = "Etc/Unknown"


def possible_zones(
    *, country_code: str | None, region_state: str | None = None, mobile_phone: str | None = None
) -> frozenset[str]:
    """Return every zone where the debtor may be, by address and phone; empty where nothing is known.

    What the address says (by its region, else its country) and the phone's area narrow each other down; where they have
    nothing in common, the debtor may be in either.
    """
    by_phone = zones_of_phone(mobile_phone) if mobile_phone else frozenset()
    by_address = frozenset(zones_of_region(country_code, region_state)) or _of_country(country_code)
    return by_address & by_phone or by_address | by_phone


def time_zone(
    *, country_code: str | None, region_state: str | None = None, mobile_phone: str | None = None
) -> str | None:
    """Return the zone that the debtor's clock shows, as far as it can be told; None where it can't.

    The country's where it has one, the region's main one, else what phone and country have in common.
    """
    by_country = _of_country(country_code)
    if len(by_country) == 1:
        return next(iter(by_country))
    if by_region := zones_of_region(country_code, region_state):
        return by_region[0]
    common = by_country & (zones_of_phone(mobile_phone) if mobile_phone else frozenset())
    return next(iter(common)) if len(common) == 1 else None


def _of_country(country_code: str | None) -> frozenset[str]:
    return countries.zones().get(country_code or "", frozenset())


def zones_of_phone(phone: str) -> frozenset[str]:
    """Return the zones of a number's area; up to 42 for a toll-free one of the US."""
    return _told_by(phone)[0]


def country_of_phone(phone: str) -> str | None:
    """Return the country (ISO 3166) whose numbering plan knows the number; None where none does."""
    return _told_by(phone)[1]


@lru_cache(maxsize=65_536)
def _told_by(phone: str) -> tuple[frozenset[str], str | None]:
    """Return a number's zones and country: reading it is what takes time."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return frozenset(), None
    country = phonenumbers.region_code_for_number(number)
    if country is None:
        return frozenset(), None
    is_country = len(country) == 2 and country.isalpha()  # Else it is a plan of no country, such as satellite phones'.
    return frozenset(phone_timezone.time_zones_for_number(number)) - {_UNKNOWN}, country if is_country else None


def zones_of_region(country_code: str | None, region_state: str | None) -> tuple[str, ...]:
    """Return the zones of a state or province of US, CA, AU, BR or MX, named by code or in full; else none."""
    key = " ".join((region_state or "").replace(".", "").casefold().split())
    return ZONES.get((country_code or "", key), ())
