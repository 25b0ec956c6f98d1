"""The IANA time zones in which a debtor may be, by address and phone."""

from ddc.common.reference import countries
from debtors import number_plan
from debtors.places import places


def possible_zones(
    *,
    country_code: str | None,
    region_state: str | None = None,
    city: str | None = None,
    postal_code: str | None = None,
    mobile_phone: str | None = None,
) -> frozenset[str]:
    """Return all zones in which the debtor may be; empty if neither address nor phone tells any.

    Those of the address count in any case. A phone adds the zones of its area, if its number has one, or those of a foreign
    country. A mobile number of the address's own country adds none, because people take it along.
    """
    place = places.find(country_code, region_state, city, postal_code)
    return place.zones | (_of_phone(mobile_phone, place.country) if mobile_phone else frozenset())


def time_zone(
    *,
    country_code: str | None,
    region_state: str | None = None,
    city: str | None = None,
    postal_code: str | None = None,
) -> str | None:
    """Return the zone of an address: the country's only one, else by region, city or postcode; None if several are possible."""
    return places.find(country_code, region_state, city, postal_code).time_zone


def _of_phone(phone: str, country: str) -> frozenset[str]:
    number = number_plan.number(phone)
    if number.country and not number.area_zones and number.country != country:
        return countries.zones().get(number.country, frozenset())
    return number.area_zones
