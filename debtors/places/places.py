"""Where an address is: its region and time zones, by region, city and postcode together.

Sources and licences of the tables are in docs/contact-rules.md, "Places".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from ddc.common.reference import countries
from debtors.places import regions
from debtors.places.regions import fold

#: No name or postcode is longer; longer texts are not kept in memory.
_LONGEST = 100
_NOT_ALPHANUMERIC = re.compile(r"[^0-9A-Z]")
#: The country before a postcode, as in D-80331 and CH-8001.
_COUNTRY_PREFIX = re.compile(r"\s{0,9}[A-Za-z]{1,3}\s{0,9}-\s{0,9}(?=\d)")
#: The length of postcodes that are numbers, which a spreadsheet leaves without their first zeros.
_DIGITS = {"US": 5, "DE": 5, "ES": 5, "MX": 5, "AU": 4, "BR": 8}
#: Parts of the post's United Kingdom that are countries with laws of their own.
_CROWN_DEPENDENCIES = {
    "JE": ("JE", {"je", "jersey"}),
    "GG": ("GY", {"gg", "gy", "guernsey", "alderney", "sark"}),
    "IM": ("IM", {"im", "isle of man"}),
}
#: Marks cities that are too small to tell the region by themselves: many share a name. They tell the zone within their region.
_SMALL = "~"


@dataclass(frozen=True)
class Place:
    """What an address tells. ``regions``: those in which it may be, by ISO 3166-2 code; empty if that is not known.

    ``zones``: the IANA time zones in which it may be; ``time_zone``: the only one, or the one in which 99 of 100 people live if
    neither city nor postcode tells more. ``unknown_region``: the text of a region that no table has.
    """

    country: str = ""
    regions: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()
    time_zone: str | None = None
    unknown_region: str = ""
    #: Whether a table has the postcode, and it does not contradict the region.
    is_postcode_known: bool = False


NOWHERE = Place()


@dataclass(frozen=True)
class _Evidence:
    regions: frozenset[str] = frozenset()
    zones: frozenset[str] = frozenset()


def find(
    country: str | None, region: str | None = None, city: str | None = None, postal_code: str | None = None
) -> Place:
    """Return what an address tells. City and postcode narrow region and zones down; where they contradict, both count."""
    if len(region or "") + len(city or "") + len(postal_code or "") > _LONGEST:
        texts = (text if len(text or "") <= _LONGEST else None for text in (region, city, postal_code))
        return _find(country, *texts)
    return _find(country, region, city, postal_code)


@lru_cache(maxsize=65_536)
def _find(country: str | None, region: str | None, city: str | None, postal_code: str | None) -> Place:
    country = _true_country(country or "", region, city, postal_code)
    if country not in countries.zones():
        return NOWHERE
    code = regions.code(country, region)
    by_postcode = _by_postcode(country, postal_code)
    found = _both(frozenset({code}) if code else frozenset(), by_postcode.regions)
    contradict = bool(code and by_postcode.regions) and code not in by_postcode.regions
    by_city = _Evidence() if contradict else _by_city(country, city, found)
    found = found or by_city.regions
    all_zones = frozenset(zone for each in found for zone in regions.zones().get((country, each), ()))
    zones = all_zones or countries.zones()[country]
    if not contradict:
        zones = _both(_both(zones, by_postcode.zones), by_city.zones)
    rare = frozenset(zone for each in found for zone in regions.rare_zones().get((country, each), ()))
    likely = zones - rare if zones == all_zones else zones
    return Place(
        country=country,
        regions=found,
        zones=zones,
        time_zone=next(iter(likely)) if len(likely) == 1 else None,
        is_postcode_known=bool(by_postcode.regions & found) and by_postcode.regions >= found,
        unknown_region=(region or "").strip() if not code and country in regions.countries() else "",
    )


def regions_of_area_code(country: str, area_code: str) -> frozenset[str]:
    """Return the states or provinces of a North American area code such as "1617"."""
    return _area_codes().get((country, area_code), frozenset())


def _both(first: frozenset[str], second: frozenset[str]) -> frozenset[str]:
    """Return what both allow; where they have nothing in common, all of both."""
    if not (first and second):
        return first or second
    return first & second or first | second


def _true_country(country: str, region: str | None, city: str | None, postal_code: str | None) -> str:
    """Return the country by law: Jersey, Guernsey and the Isle of Man are none of the United Kingdom's nations."""
    if country != "GB":
        return country
    written = {fold(region or ""), fold(city or "")}
    for code, (prefix, names) in _CROWN_DEPENDENCIES.items():
        if written & names or _plain("GB", postal_code).startswith(prefix):
            return code
    return country


def _plain(country: str, postal_code: str | None) -> str:
    """Return a postcode without spaces, hyphens and country, with its first zeros."""
    text = _NOT_ALPHANUMERIC.sub("", _COUNTRY_PREFIX.sub("", postal_code or "").upper())
    digits = _DIGITS.get(country, 0)
    return text.zfill(digits) if digits and text.isdigit() and len(text) == digits - 1 else text


def _by_postcode(country: str, postal_code: str | None) -> _Evidence:
    known, text = _postcodes().get(country, {}), _plain(country, postal_code)
    return next((known[text[:n]] for n in range(len(text), 0, -1) if text[:n] in known), _Evidence())


def _by_city(country: str, city: str | None, known: frozenset[str]) -> _Evidence:
    """Return where cities of this name are, within the known regions. A small one tells nothing without its region."""
    name = fold(city or "")
    rows = _cities().get((country, name), ()) + (_cities().get((country, _SMALL + name), ()) if known else ())
    rows = tuple((region, zone) for region, zone in rows if not known or region in known)
    zones = frozenset(
        each for region, zone in rows for each in ([zone] if zone else regions.zones().get((country, region), ()))
    )
    return _Evidence(frozenset(region for region, _ in rows if region), zones)


@cache
def _postcodes() -> dict[str, dict[str, _Evidence]]:
    found: dict[str, dict[str, _Evidence]] = {}
    for country, prefix, in_regions, zones in _rows("postcodes.tsv"):
        found.setdefault(country, {})[prefix] = _Evidence(_set(in_regions), _set(zones))
    return found


@cache
def _cities() -> dict[tuple[str, str], tuple[tuple[str, str], ...]]:
    """Map country and folded name to the region and zone of each city of that name; the zone is empty if the region has one."""
    found: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
    for country, region, zone, names in _rows("cities.tsv"):
        for name in names.split("|"):
            found[country, name] = (*found.get((country, name), ()), (region, zone))
    return found


@cache
def _area_codes() -> dict[tuple[str, str], frozenset[str]]:
    return {(country, code): _set(in_regions) for country, code, in_regions, _ in _rows("area_codes.tsv")}


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split(",")) if text else frozenset()


def _rows(name: str) -> Iterator[list[str]]:
    for line in (Path(__file__).parent / name).read_text("utf-8").splitlines():
        row = line.split("\t")
        yield row + [""] * (4 - len(row))
