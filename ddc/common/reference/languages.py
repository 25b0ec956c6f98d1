"""BCP 47 languages and their English names, from CLDR (package babel)."""

import re
from functools import cache

from babel import Locale, UnknownLocaleError

from ddc.common.bounded_cache import bounded_cache

_TAG = re.compile(r"([a-z]{2,3})(?:-([a-z]{4}))?(?:-([a-z]{2}|[0-9]{3}))?", re.ASCII | re.IGNORECASE)
_ENGLISH = Locale("en")


@bounded_cache(1_000)
def name(code: str) -> str:
    """Return the English name of a language code: ``"English"`` for ``"en"``, ``"Brazilian Portuguese"`` for ``"pt-BR"``."""
    key = code.replace("-", "_")
    if key in _ENGLISH.languages:
        return str(_ENGLISH.languages[key])
    language, script, territory = _parts(code)
    extras = [_ENGLISH.scripts.get(script or "", script), _ENGLISH.territories.get(territory or "", territory)]
    inside = ", ".join(extra for extra in extras if extra)
    return f"{_ENGLISH.languages[language]} ({inside})" if inside else str(_ENGLISH.languages[language])


@cache
def _codes() -> dict[str, str]:
    return {str(english).casefold(): code.replace("_", "-") for code, english in _ENGLISH.languages.items()}


def read(value: str) -> str | None:
    """Return the BCP 47 code of a code or an English name, in any case, or None."""
    if code := _codes().get(value.casefold()):
        return code
    if not _TAG.fullmatch(value):
        language, _, rest = value.rpartition(" (")
        return _read_display_name(language, rest[:-1]) if language and rest.endswith(")") else None
    language, script, territory = _parts(value)
    if language not in _ENGLISH.languages or (territory and territory not in _ENGLISH.territories):
        return None
    return "-".join(part for part in (language, script, territory) if part)


def _read_display_name(language: str, territory: str) -> str | None:
    code = _codes().get(language.casefold())
    for region, english in _ENGLISH.territories.items():
        if code and str(english).casefold() == territory.casefold():
            return f"{code}-{region}"
    return None


def _parts(tag: str) -> tuple[str, str | None, str | None]:
    match = _TAG.fullmatch(tag)
    if match is None:
        raise ValueError(f"{tag!r} is not a language tag")
    language, script, territory = match.groups()
    return language.lower(), script and script.title(), territory and territory.upper()


def locale(code: str | None) -> Locale:
    """Return the CLDR locale for amounts and dates in a language, or English if there is none."""
    return _locale(code) if code else _ENGLISH


@bounded_cache(1_000)
def _locale(code: str) -> Locale:
    for tag in (code, code.split("-")[0]):
        try:
            return Locale.parse(tag, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return _ENGLISH
