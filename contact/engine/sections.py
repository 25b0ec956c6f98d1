"""The sections of law behind reasons that are not policies, by the debtor's own law (``sections.toml``)."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from contact.engine.policies import Confidence, Location, least_sure

_SECTIONS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
_CONFIDENCE = {section: confidence for confidence, some in _SECTIONS.pop("confidence").items() for section in some}
_GROUP_OF = {country: group for group, countries in _SECTIONS.pop("groups").items() for country in countries}


@dataclass(frozen=True)
class Law:
    """Sections of law as one text, and the confidence of the least sure one (``Confidence``); both empty if none is known."""

    section: str = ""
    confidence: str = ""


@lru_cache(maxsize=65_536)
def law_of(reason: str, locations: frozenset[Location]) -> Law:
    """Return the sections for a reason in every country where the debtor may be.

    :param reason: the reason of a hold, or one of the other names in ``sections.toml``
    """
    by_place = _SECTIONS.get(reason, {})
    if "everywhere" in by_place:
        return _law([by_place["everywhere"]])
    countries = sorted({where.country for where in locations})
    found = (by_place.get(country) or by_place.get(_GROUP_OF.get(country, "")) for country in countries)
    return _law(list(dict.fromkeys(filter(None, found))))


def _law(sections: list[str]) -> Law:
    confidence = least_sure(_CONFIDENCE.get(section, Confidence.MEMORY) for section in sections)
    return Law("; ".join(sections), confidence)
