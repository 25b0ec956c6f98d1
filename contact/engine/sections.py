"""The sections of law behind reasons that are not policies, by the debtor's own law (``sections.toml``)."""

import tomllib
from functools import lru_cache
from pathlib import Path

from contact.engine.policies import Location

_SECTIONS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_GROUP_OF = {country: group for group, countries in _SECTIONS.pop("groups").items() for country in countries}


@lru_cache(maxsize=65_536)
def section_of(reason: str, locations: frozenset[Location]) -> str:
    """Return the sections for a reason in every country where the debtor may be; empty if none is known.

    :param reason: the reason of a hold, or one of the other names in ``sections.toml``
    """
    by_place = _SECTIONS.get(reason, {})
    if "everywhere" in by_place:
        return str(by_place["everywhere"])
    countries = sorted({where.country for where in locations})
    found = (by_place.get(country) or by_place.get(_GROUP_OF.get(country, "")) for country in countries)
    return "; ".join(dict.fromkeys(filter(None, found)))
