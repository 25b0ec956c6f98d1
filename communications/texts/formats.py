"""Format amounts and dates in a language, with the decimals of the currency."""

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


def amount(value: Decimal, currency: str, *, language: str | None) -> str:
    """Format an amount: ``£1,250.00`` in English, ``1.250,00 £`` in German."""
    locale = languages.locale(language)
    written: str = _pattern(locale, currency).apply(value, locale, currency=currency, currency_digits=False)
    return _TOUCHING.sub("\N{NO-BREAK SPACE}", written)


def day(value: date, *, language: str | None) -> str:
    """Format a date: ``Jan 31, 2026`` in English, ``31.01.2026`` in German."""
    return format_date(value, format="medium", locale=languages.locale(language))


@lru_cache(maxsize=4096)
def _pattern(locale: Locale, currency: str) -> NumberPattern:
    """Return the language's pattern with the decimals of ISO 4217; CLDR's differ for some currencies (IQD, UGX)."""
    pattern: NumberPattern = copy.copy(locale.currency_formats["standard"])
    pattern.frac_prec = (DECIMALS[currency], DECIMALS[currency])
    return pattern
