"""Amounts and their currency. An amount is a Decimal in the currency's major unit, never a float."""

import re
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from django.db import models

from ddc.common.errors import DomainError
from ddc.common.reference import currencies
from ddc.common.reference.currencies import DECIMALS

#: A money column holds 16 digits before the point, 4 after it (CLF and UYW have 4 decimals).
MAX_DIGITS, DECIMAL_PLACES = 20, 4
LIMIT = Decimal(10) ** (MAX_DIGITS - DECIMAL_PLACES)

_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)


class BadAmount(DomainError):
    """The value is not an amount, or not in this currency."""

    status = 422
    code = "number"


class EndedCurrency(BadAmount):
    """The currency has ended."""

    code = "enum"

    def __init__(self, currency: str, *, field: str) -> None:
        super().__init__(currencies.unknown(currency), field=field)


def require_current(currency: str, *, today: date, field: str) -> None:
    """Refuse a currency that has ended by a day.

    :raises EndedCurrency: if it has
    """
    if currencies.ended(currency, today=today):
        raise EndedCurrency(currency, field=field)


def quantum(currency: str) -> Decimal:
    """Return the smallest amount of a currency, such as ``Decimal("0.01")`` for EUR."""
    return Decimal(1).scaleb(-DECIMALS[currency])


def text(amount: Decimal, currency: str) -> str:
    """Write an amount with the currency's own number of decimals: ``"5000.00"`` GBP, ``"5000"`` JPY."""
    return f"{amount:.{DECIMALS[currency]}f}"


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Round half-even to the currency's quantum. Only for converted sums, never for amounts owed or paid."""
    return amount.quantize(quantum(currency), ROUND_HALF_EVEN)


def read(value: object) -> Decimal:
    """Read a JSON number (already a Decimal or int) or a string of the form ``-?digits[.digits]``.

    :raises BadAmount: if it is anything else, or too large for a money column
    """
    if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
        raise BadAmount('This must be an amount: a number, or a string such as "500.00".')
    if isinstance(value, str) and not _PLAIN.fullmatch(value):
        raise BadAmount('This must be an amount: a number, or a string such as "500.00".')
    if isinstance(value, str) and len(value) > 40:
        raise BadAmount("This amount is too long.", code="range")
    amount = Decimal(value)
    # Check the bounds before any arithmetic: 1e999999 is a valid JSON number.
    if not amount.is_finite() or (amount and not -30 <= amount.adjusted() <= 30) or abs(amount) >= LIMIT:
        raise BadAmount("This amount is out of range.", code="range")
    return amount


def check(amount: Decimal, currency: str, *, field: str) -> Decimal:
    """Return a given amount in the currency's quantum.

    :raises BadAmount: if it has more decimals than the currency has, zeros included: 1.000 USD may be a thousand
    """
    exponent = amount.as_tuple().exponent
    places = DECIMALS[currency]
    if not isinstance(exponent, int) or -exponent > places:
        raise BadAmount(f"{currency} has {places or 'no'} decimals.", code="range", field=field)
    return amount.quantize(quantum(currency))


def recheck(amount: Decimal, currency: str, *, field: str) -> Decimal:
    """Return a stored amount, which has four decimals, in the currency's quantum.

    :raises BadAmount: if it is no amount of this currency
    """
    return check(amount.normalize(), currency, field=field)


def money_field(**kwargs: Any) -> "models.DecimalField[Any, Any]":
    """Return a column for an amount in the currency of the row's ``currency_code``."""
    return models.DecimalField(max_digits=MAX_DIGITS, decimal_places=DECIMAL_PLACES, **kwargs)
