"""What the numbering plans tell about a phone number: its country, its area, and the kind of its line."""

from dataclasses import dataclass
from enum import StrEnum

import phonenumbers
from phonenumbers import PhoneNumberType, timezone

from ddc.common.bounded_cache import bounded_cache
from debtors import phones
from debtors.places import places

_UNKNOWN_ZONE = "Etc/Unknown"
_NORTH_AMERICA = "+1"


class NumberKind(StrEnum):
    """The kind of line that a number has. North American numbers do not tell it."""

    MOBILE = "mobile"
    FIXED = "fixed"
    UNKNOWN = "unknown"


_KINDS = {PhoneNumberType.MOBILE: NumberKind.MOBILE, PhoneNumberType.FIXED_LINE: NumberKind.FIXED}


@dataclass(frozen=True)
class Number:
    """What is known about a number.

    ``country``: ISO 3166-1; None for unknown numbers and international plans, such as that of satellite phones.
    ``area_zones``: the IANA time zones of its area; empty if the number has none, as most mobile and toll-free ones.
    ``regions``: the states or provinces of a North American area code, by ISO 3166-2 code.
    """

    country: str | None = None
    kind: NumberKind = NumberKind.UNKNOWN
    area_zones: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()


@bounded_cache(65_536, longest=40)
def number(phone: str) -> Number:
    """Return what the plans tell about a number in E.164; parsing is slow, so the results are kept."""
    try:
        parsed = phonenumbers.parse(phones.dialled(phone))
    except phonenumbers.NumberParseException:
        return Number()
    country = phonenumbers.region_code_for_number(parsed)
    if country is None or not country.isalpha():
        return Number()
    kind = phonenumbers.number_type(parsed)
    has_area = phonenumbers.is_number_type_geographical(kind, parsed.country_code or 0)
    return Number(
        country=country,
        kind=_KINDS.get(kind, NumberKind.UNKNOWN),
        area_zones=frozenset(timezone.time_zones_for_number(parsed)) - {_UNKNOWN_ZONE} if has_area else frozenset(),
        regions=places.regions_of_area_code(country, phone[1:5]) if phone.startswith(_NORTH_AMERICA) else frozenset(),
    )
