"""Regions (states, provinces, Länder, cantons) by any spelling: ``regions.toml``, else those that the package holidays knows."""

import tomllib
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import holidays

from ddc.common.bounded_cache import bounded_cache
from ddc.common.normal_forms import visible

#: Letters that Unicode does not take apart into a plain letter and an accent.
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "\u0131": "i", "æ": "ae", "œ": "oe", "&": " and "})
_RARE = "~"
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
#: Words before the name of a region, by which it is called in full.
_TITLES = (
    "state of", "the state of", "commonwealth of", "province of", "provincia de", "province de", "territory of", "estado de",
    "estado do", "estado da", "comunidad de", "comunidad autonoma de", "freistaat", "land", "kanton", "canton", "canton of",
    "canton de", "canton du", "cantone",
)  # fmt: skip


@bounded_cache(65_536)
def fold(text: str) -> str:
    """Return a name or code without case, accents and punctuation, for comparisons; "St" is "saint"."""
    letters = unicodedata.normalize("NFKD", visible(text).casefold().translate(_PLAIN))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter) and letter not in ".'\u2019`")
    words = "".join(letter if letter.isalnum() else " " for letter in plain).split()
    return " ".join(["saint", *words[1:]] if len(words) > 1 and words[0] == "st" else words)


def spellings(name: str) -> set[str]:
    """Return the folded name, also with ``ae`` for ``ä``."""
    composed = unicodedata.normalize("NFC", name.casefold())
    return {fold(name), fold(composed.translate(_UMLAUTS))}


@cache
def zones() -> dict[tuple[str, str], tuple[str, ...]]:
    """Map country and region code to the region's IANA time zones, the most populous first."""
    return {(country, code): tuple(_zones(row)) for country, rows in _table().items() for code, row in rows.items()}


@cache
def rare_zones() -> dict[tuple[str, str], frozenset[str]]:
    """Map country and region code to the zones in which fewer than one in a hundred of the region's people live."""
    return {
        (country, code): frozenset(item.removeprefix(_RARE) for item in row if item.startswith(_RARE))
        for country, rows in _table().items()
        for code, row in rows.items()
    }


@cache
def names() -> dict[tuple[str, str], str]:
    """Map country and region code to the English name."""
    return {
        (country, code): next(item for item in row if "/" not in item)
        for country, rows in _table().items()
        for code, row in rows.items()
    }


@cache
def countries() -> frozenset[str]:
    """Return the countries of which all regions are known."""
    return frozenset(_table())


def code(country: str, text: str | None) -> str | None:
    """Return the ISO 3166-2 code of a region by its code, name or usual abbreviation; None if it is not known."""
    known = _codes(country) if len(country) == 2 else {}
    words = fold(text or "")
    candidates = [words, words.removeprefix(f"{country.lower()} ")]
    candidates += [words.removeprefix(f"{title} ") for title in _TITLES if words.startswith(f"{title} ")]
    return next((known[each] for each in candidates if each in known), None)


def _codes(country: str) -> dict[str, str]:
    return _curated()[country] if country in _table() else _of_holidays(country)


@cache
def _curated() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for country, rows in _table().items():
        spelt = {
            spelling: code
            for code, row in rows.items()
            for item in row
            if "/" not in item
            for spelling in spellings(item)
        }
        found[country] = spelt | {fold(code): code for code in rows}
    return found


@lru_cache(maxsize=512)
def _of_holidays(country: str) -> dict[str, str]:
    """Return the regions of another country that have public holidays of their own, by folded code and name."""
    if country not in holidays.list_supported_countries():
        return {}
    calendar = holidays.country_holidays(country)
    named = {spelling: code for name, code in calendar.subdivisions_aliases.items() for spelling in spellings(name)}
    return named | {fold(code): code for code in calendar.subdivisions}


def _zones(row: list[str]) -> list[str]:
    return [item.removeprefix(_RARE) for item in row if "/" in item]


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    return tomllib.loads((Path(__file__).parent / "regions.toml").read_text(encoding="utf-8"))
