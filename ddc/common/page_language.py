"""The language of a debtor's page: the one chosen by the switch, else the debtor's, else the browser's, else English."""

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import trans_real

COOKIE = "portal_language"


def of(request: HttpRequest, preferred: str | None = None) -> str:
    """Return the code of a language in which the pages exist.

    :param preferred: the language of a signed-in debtor
    """
    chosen = request.COOKIES.get(COOKIE, "")
    if chosen in codes():
        return chosen
    if (own := (preferred or "").split("-")[0].lower()) in codes():
        return own
    return browsers(request) or settings.LANGUAGE_CODE


def browsers(request: HttpRequest) -> str | None:
    """Return the first language of the browser in which the pages exist."""
    header = request.headers.get("Accept-Language", "")[:200]
    for tag, _ in trans_real.parse_accept_lang_header(header.lower()):
        if (code := tag.split("-")[0]) in codes():
            return code
    return None


def region(request: HttpRequest) -> str | None:
    """Return the country of the browser's first language that names one, or has a main one: ``GB`` for ``en-GB``."""
    header = request.headers.get("Accept-Language", "")[:200]
    for tag, _ in trans_real.parse_accept_lang_header(header.lower()):
        try:
            territory: str | None = Locale.parse(tag, sep="-").territory
            return territory or likely_territory(tag)
        except (UnknownLocaleError, ValueError):
            continue
    return None


def likely_territory(language: str) -> str | None:
    """Return the main country of a language, except of those spoken in many: ``DE`` for ``de``, None for ``en``."""
    if language in ("en", "es", "fr", "ar", "pt"):
        return None
    subtags = get_global("likely_subtags").get(language, "").split("_")
    return subtags[2] if len(subtags) == 3 else None


def codes() -> frozenset[str]:
    return frozenset(code for code, _ in settings.LANGUAGES)
