"""Format amounts and dates in a language, with the decimals of the currency, and know the direction of its script."""

import copy
import re
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.dates import format_date
from babel.numbers import NumberPattern

from ddc.common.reference import languages
from ddc.common.reference.currencies import DECIMALS

#: CLDR puts a space between letters and digits (currencySpacing), which babel omits: ``KWD 1.000``.
_TOUCHING = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")

#: Of a language tag's part that names a script, such as ``Latn``; a region is shorter.
_SCRIPT_LENGTH = 4
_ISOLATE, _END_OF_ISOLATE = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"


def amount(value: Decimal, currency: str, *, language: str | None) -> str:
    """Format an amount: ``£1,250.00`` in English, ``1.250,00 £`` in German.

    In a language that is written from right to left it is isolated: the text around it does not move its sign or symbol.
    """
    locale = languages.locale(language)
    written: str = _pattern(locale, currency).apply(value, locale, currency=currency, currency_digits=False)
    written = _TOUCHING.sub("\N{NO-BREAK SPACE}", written)
    return f"{_ISOLATE}{written}{_END_OF_ISOLATE}" if direction(language) == "rtl" else written


def day(value: date, *, language: str | None) -> str:
    """Format a date: ``Jan 31, 2026`` in English, ``31.01.2026`` in German."""
    return format_date(value, format="medium", locale=languages.locale(language))


def regional(language: str | None, *, preferred: str | None) -> str | None:
    """Return the language of a text with the debtor's own region, if they prefer the same language: ``de-AT`` for ``de``."""
    parts = (preferred or "").split("-")
    is_region = len(parts) == 2 and len(parts[1]) < _SCRIPT_LENGTH
    return preferred if is_region and parts[0].lower() == (language or "").lower() else language


def direction(language: str | None) -> str:
    """Return ``rtl`` for a language that is written from right to left, such as Arabic, else ``ltr``."""
    return str(languages.locale(language).text_direction)


@lru_cache(maxsize=4096)
def _pattern(locale: Locale, currency: str) -> NumberPattern:
    """Return the language's pattern with the decimals of ISO 4217; CLDR's differ for some currencies (IQD, UGX)."""
    pattern: NumberPattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (DECIMALS[currency], DECIMALS[currency])
    return pattern
