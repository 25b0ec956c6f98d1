"""ISO 3166-1 countries and their time zones, from the IANA time zone database (package tzdata)."""

from collections.abc import Iterator
from functools import cache
from importlib.resources import files


def _rows(name: str) -> Iterator[list[str]]:
    for line in (files("tzdata") / "zoneinfo" / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            yield line.split("\t")


@cache
def names() -> dict[str, str]:
    """Map each ISO 3166-1 alpha-2 code to its English name."""
    return {code: name for code, name, *_ in _rows("iso3166.tab")}


@cache
def zones() -> dict[str, frozenset[str]]:
    """Map each country code to its IANA time zones."""
    found: dict[str, set[str]] = {}
    for code, _coordinates, zone, *_ in _rows("zone.tab"):
        found.setdefault(code, set()).add(zone)
    return {code: frozenset(of_country) for code, of_country in found.items()}


#: Where a tracking pixel needs consent: the EU, the rest of the EEA, and the UK (ePrivacy Directive, art. 5(3); PECR, reg. 6).
EU_EEA_UK = frozenset({
    "AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV",
    "LT", "LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE", "IS", "LI", "NO", "GB",
})  # fmt: skip
