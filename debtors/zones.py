"""The possible IANA time zones of a debtor."""

import phonenumbers
from phonenumbers import timezone as phone_timezone

from ddc.common.bounded_cache import bounded_cache
from ddc.common.reference import countries
from debtors.regions import ZONES, fold

_UNKNOWN = "Etc/Unknown"


def possible_zones(
    *, country_code: str | None, region_state: str | None = None, mobile_phone: str | None = None
) -> frozenset[str]:
    """Return all zones in which the debtor may be, by address and phone; empty if neither is known.

    The zones of the address (those of its region, else of its country) and of the phone's area are intersected; if they have
    none in common, all of both are possible.
    """
    by_phone = zones_of_phone(mobile_phone) if mobile_phone else frozenset()
    by_address = frozenset(zones_of_region(country_code, region_state)) or _of_country(country_code)
    return by_address & by_phone or by_address | by_phone


def time_zone(
    *, country_code: str | None, region_state: str | None = None, mobile_phone: str | None = None
) -> str | None:
    """Return the debtor's most likely zone; None if it is not known.

    That is the only zone of the country, else the main zone of the region, else the only one that phone and country share.
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
    """Return the zones of a number's area; a toll-free number of the US has up to 42."""
    return _parsed(phone)[0]


def country_of_phone(phone: str) -> str | None:
    """Return the country (ISO 3166) of the number; None if no numbering plan knows it."""
    return _parsed(phone)[1]


@bounded_cache(65_536, longest=40)
def _parsed(phone: str) -> tuple[frozenset[str], str | None]:
    """Return a number's zones and country; parsing is slow, so the results are cached."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return frozenset(), None
    country = phonenumbers.region_code_for_number(number)
    if country is None:
        return frozenset(), None
    is_country = (
        len(country) == 2 and country.isalpha()
    )  # Else it is an international plan, such as that of satellite phones.
    return frozenset(phone_timezone.time_zones_for_number(number)) - {_UNKNOWN}, country if is_country else None


def zones_of_region(country_code: str | None, region_state: str | None) -> tuple[str, ...]:
    """Return the zones of a state or province of US, CA, AU, BR or MX, by its code or full name; empty for others."""
    return ZONES.get((country_code or "", fold(region_state)), ())
