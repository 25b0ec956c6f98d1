"""The due dates and amounts of instalments, as pure functions.

Dates are anchored on the first one: 31 January is followed by 28 February and 31 March. Amounts are multiples of the currency's
smallest unit and add up to the total; the last instalment takes the rest.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from itertools import count as numbers

from dateutil.relativedelta import relativedelta

from ddc.common.errors import OutOfRange

#: Longer schedules are typing errors.
MOST_INSTALMENTS = 250


class Frequency(StrEnum):
    WEEKLY = "weekly"
    FORTNIGHTLY = "fortnightly"
    FOUR_WEEKLY = "four_weekly"
    MONTHLY = "monthly"


class BusinessDays(StrEnum):
    """How a due date that is no business day is moved. The agreed date stays as it is."""

    AS_IS = "as_is"
    FOLLOWING = "following"
    #: The following business day, but the one before in the last days of a month.
    MODIFIED_FOLLOWING = "modified_following"
    PRECEDING = "preceding"


class TooManyInstalments(OutOfRange):
    field = "schedule"
    message = f"This makes more than {MOST_INSTALMENTS} instalments. Choose a larger amount."


class AmountTooSmall(OutOfRange):
    field = "schedule"
    message = "The total is too small for so many instalments. Choose fewer."


@dataclass(frozen=True)
class Due:
    """One instalment: its number from 1, the agreed day, the business day on which it is due, and its amount."""

    no: int
    agreed_on: date
    due_on: date
    amount: Decimal


DAYS = {Frequency.WEEKLY: 7, Frequency.FORTNIGHTLY: 14, Frequency.FOUR_WEEKLY: 28}
_DAY = timedelta(days=1)


def dates(first: date, frequency: Frequency) -> Iterator[date]:
    """Return the agreed dates from the first one on, without an end."""
    for n in numbers():
        if frequency == Frequency.MONTHLY:
            yield first + relativedelta(months=n)
        else:
            yield first + timedelta(days=n * DAYS[frequency])


def shift(day: date, rule: BusinessDays, is_business_day: Callable[[date], bool]) -> date:
    """Move a day to a business day by a rule."""
    if rule == BusinessDays.AS_IS or is_business_day(day):
        return day
    step = -_DAY if rule == BusinessDays.PRECEDING else _DAY
    moved = _next(day, step, is_business_day)
    if rule == BusinessDays.MODIFIED_FOLLOWING and moved.month != day.month:
        return _next(day, -_DAY, is_business_day)
    return moved


def equal(total: Decimal, number: int, *, quantum: Decimal, first: Decimal | None = None) -> list[Decimal]:
    """Split a total into so many amounts, rounded down to the quantum; the last one takes the rest.

    :param first: the amount of the first instalment, apart from the others
    :raises TooManyInstalments: if there are more than ``MOST_INSTALMENTS``
    :raises AmountTooSmall: if an instalment would be 0
    """
    if not 1 <= number <= MOST_INSTALMENTS:
        raise TooManyInstalments
    if first is not None and number > 1:
        if not 0 < first < total:
            raise AmountTooSmall
        return [first, *equal(total - first, number - 1, quantum=quantum)]
    base = (total / number).quantize(quantum, ROUND_DOWN)
    if base <= 0:
        raise AmountTooSmall
    return [base] * (number - 1) + [total - base * (number - 1)]


def fixed(
    total: Decimal, amount: Decimal, *, first: Decimal | None = None, least: Decimal | None = None
) -> list[Decimal]:
    """Split a total into equal amounts of a given size and the rest.

    :param first: the amount of the first instalment, apart from the others
    :param least: a smaller rest is added to the instalment before
    :raises TooManyInstalments: if there are more than ``MOST_INSTALMENTS``
    :raises AmountTooSmall: if an amount is not above 0
    """
    if amount <= 0 or (first is not None and first <= 0):
        raise AmountTooSmall
    if first is not None and first < total:
        return [first, *fixed(total - first, amount, least=least)]
    whole, rest = divmod(total, amount)
    if whole + bool(rest) > MOST_INSTALMENTS:
        raise TooManyInstalments
    amounts = [amount] * int(whole)
    if rest and amounts and least is not None and rest < least:
        amounts[-1] += rest
    elif rest:
        amounts.append(rest)
    return amounts


def plan(
    amounts: list[Decimal],
    *,
    first: date,
    frequency: Frequency,
    shifted: Callable[[date], date],
) -> list[Due]:
    """Return the instalments with these amounts, from the first date on, each due on its ``shifted`` day."""
    return [
        Due(no, agreed, shifted(agreed), amount)
        for no, (agreed, amount) in enumerate(zip(dates(first, frequency), amounts, strict=False), 1)
    ]


def _next(day: date, step: timedelta, is_business_day: Callable[[date], bool]) -> date:
    while not is_business_day(day):
        day += step
    return day
