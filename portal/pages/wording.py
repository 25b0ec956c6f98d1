"""Amounts and days in the words of the pages: the page's language, in the form of the debtor's region."""

import re
from datetime import date, datetime
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from babel.numbers import get_currency_symbol
from django.utils import translation

from communications.texts import formats
from ddc.common.bounded_cache import bounded_cache
from ddc.common.zones import zone_info
from debtors.models import Debtor
from debtors.zones import time_zone

#: The end of CLDR's patterns with a year, as all of our languages have it.
_YEAR = re.compile(r",?\s?('de'\s?)?y{1,4}$")


def amount(value: Decimal, currency: str, debtor: Debtor | None = None) -> str:
    """Write an amount: ``£1,250.00``."""
    written = formats.amount(value, currency, language=tag(debtor))
    if translation.get_language_bidi():  # Letters and sign of a symbol, such as UK£, would change places.
        symbol = get_currency_symbol(currency, _locale(tag(debtor)))
        return written.replace(symbol, f"\N{LEFT-TO-RIGHT ISOLATE}{symbol}\N{POP DIRECTIONAL ISOLATE}")
    return written


def day(value: date | datetime, debtor: Debtor | None = None, form: str = "long") -> str:
    """Write a day: ``Monday, December 21`` (long), ``December 21`` (short), ``December 21, 2026`` (full)."""
    if isinstance(value, datetime):
        zone = debtor and time_zone(
            country_code=debtor.country_code, region_state=debtor.region_state, city=debtor.city,
            postal_code=debtor.postal_code,
        )  # fmt: skip
        value = value.astimezone(zone_info(zone or "UTC")).date()
    locale = _locale(tag(debtor))
    pattern = locale.date_formats["full" if form == "long" else "long"].pattern
    return format_date(value, pattern if form == "full" else _YEAR.sub("", pattern), locale=locale)


def tag(debtor: Debtor | None) -> str:
    """Return the page's language with the debtor's region where the language is spoken there: ``en-GB``, ``de-AT``."""
    language = translation.get_language() or "en"
    own = (debtor.language_preference or "").split("-") if debtor else [""]
    region = own[-1] if len(own) > 1 and own[0] == language else debtor.country_code if debtor else None
    return f"{language}-{region}" if region and _exists(f"{language}-{region}") else language


@bounded_cache(1_000)
def _exists(code: str) -> bool:
    try:
        Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError):
        return False
    return True


@bounded_cache(1_000)
def _locale(code: str) -> Locale:
    return Locale.parse(code, sep="-")
