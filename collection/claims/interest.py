"""Interest: principal over time, by rates, without the days that stop it; exact to the last fraction of a cent.

The first day counts, the last does not: from 1 to 20 January there are 19 days. A payment lowers the principal from its
value date on. Only sums of money are rounded, and always the whole sum since the first day: what is posted is the
difference to what was posted before, so it does not matter how often interest is posted.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TypeVar

from collection.claims.components import ZERO

#: A year in the units of ``clock``: the least common multiple of 360, 365 and 366, so that every day is whole.
YEAR = 1_603_080
#: What ``units`` must be divided by: the year, and 100 for percent.
PER_UNIT = YEAR * 100


class DayCount(StrEnum):
    """How many days a year has."""

    ACT_365 = "act/365"
    ACT_ACT = "act/act"
    THIRTY_360 = "30/360"


class Compounding(StrEnum):
    """When interest itself begins to bear interest."""

    NONE = "none"
    ANNIVERSARY = "anniversary"


class Reset(StrEnum):
    """Whether the rate follows its series, or stays as it was on the first day."""

    FLOATING = "floating"
    FIXED_AT_START = "fixed_at_start"


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate in percent a year, from a day on until the next one."""

    since: date
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Step:
    """The sum that bears interest, from a day on until the next one."""

    since: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Stop:
    """Days without interest, to the day before ``until``; None: open-ended."""

    since: date
    until: date | None


@dataclass(frozen=True)
class Terms:
    """The interest of one debt.

    :ivar since: the first day with interest
    :ivar rates: by first day, none of them negative
    :ivar known_until: the first day for which no rate is known; None: the last rate stays
    :ivar on_costs: whether costs bear interest too
    """

    since: date
    rates: tuple[Rate, ...]
    day_count: DayCount = DayCount.ACT_365
    compounding: Compounding = Compounding.NONE
    stops: tuple[Stop, ...] = ()
    known_until: date | None = None
    on_costs: bool = False

    def last(self, until: date) -> date:
        """Return the day until which interest is known, at most ``until``."""
        return min(until, self.known_until) if self.known_until else until


def clock(day: date, day_count: DayCount) -> int:
    """Return a day's place in time, in units of which a year has ``YEAR``."""
    if day_count == DayCount.ACT_365:
        return day.toordinal() * (YEAR // 365)
    if day_count == DayCount.ACT_ACT:
        first, next_first = date(day.year, 1, 1), date(day.year, 12, 31) + timedelta(days=1)
        return day.year * YEAR + (day - first).days * (YEAR // (next_first - first).days)
    return day.year * YEAR + (30 * (day.month - 1) + min(day.day, 30) - 1) * (YEAR // 360)


def accrued(steps: Sequence[Step], terms: Terms, since: date, until: date) -> Fraction:
    """Return the exact interest from a day to the day before another, in the currency of the steps.

    Compounding is the account's (``account.compute``): it adds interest to the steps.

    :param steps: by first day; before the first of them nothing bears interest
    """
    return Fraction(units(steps, terms, since, until), PER_UNIT)


def units(steps: Sequence[Step], terms: Terms, since: date, until: date) -> Fraction:
    """Return the same times ``PER_UNIT``: a decimal number, which the database stores exactly."""
    since, until = max(since, terms.since), terms.last(until)
    total = Fraction(0)
    for step, step_ends in _periods(steps):
        for rate, rate_ends in _periods(terms.rates):
            begins = max(since, step.since, rate.since)
            ends = min(day for day in (until, step_ends, rate_ends) if day)
            if begins < ends and step.amount > 0:
                length = _length(begins, ends, terms)
                total += Fraction(step.amount) * Fraction(rate.percent) * length
    return total


def rounded(exact: Fraction, unit: Decimal) -> Decimal:
    """Round a sum that is not negative half up, to a multiple of ``unit``."""
    whole = (exact / Fraction(unit) + Fraction(1, 2)).__floor__()
    return whole * unit


def anniversary(since: date, years: int) -> date:
    """Return the day some years after the first; 1 March for a 29 February where there is none."""
    try:
        return since.replace(year=since.year + years)
    except ValueError:
        return date(since.year + years, 3, 1)


def _length(begins: date, ends: date, terms: Terms) -> int:
    length = clock(ends, terms.day_count) - clock(begins, terms.day_count)
    for first, last in merged(terms.stops):
        first, last = max(first, begins), min(last or ends, ends)
        if first < last:
            length -= clock(last, terms.day_count) - clock(first, terms.day_count)
    return length


def merged(stops: Iterable[Stop]) -> list[tuple[date, date | None]]:
    """Return the days without interest as periods that do not overlap."""
    periods: list[tuple[date, date | None]] = []
    for stop in sorted(stops, key=lambda stop: stop.since):
        if stop.until is not None and stop.until <= stop.since:
            continue
        if periods and (periods[-1][1] is None or stop.since <= periods[-1][1]):
            first, last = periods[-1]
            periods[-1] = first, None if last is None or stop.until is None else max(last, stop.until)
        else:
            periods.append((stop.since, stop.until))
    return periods


Dated = TypeVar("Dated", Rate, Step)


def _periods(rows: Sequence[Dated]) -> Iterable[tuple[Dated, date | None]]:
    """Yield each row with the first day of the next one."""
    return zip(rows, [*(row.since for row in rows[1:]), None], strict=False)


def schedule_rates(
    reset: Reset,
    margin: Decimal,
    series: Sequence[Rate],
    since: date,
    *,
    half_yearly: bool = False,
) -> tuple[tuple[Rate, ...], date | None]:
    """Return the rates of a schedule from its series, and the first day for which none is known.

    The sum of rate and margin counts, so a negative base lowers it; the sum itself is at least 0.

    :param series: by first day
    :param since: the first day with interest: no earlier rate is needed
    :param half_yearly: the series has a rate for each half-year, and an older one does not stand in for one that is missing
    """
    found = [(rate, _known_until(rate, ends, half_yearly)) for rate, ends in _periods(series)]
    found = [(rate, ends) for rate, ends in found if ends is None or ends > since]
    if not found or found[0][0].since > since:
        return (), since
    if reset == Reset.FIXED_AT_START:
        return (Rate(since, max(found[0][0].percent + margin, ZERO)),), None
    rates: list[Rate] = []
    known_until: date | None = since
    for rate, ends in found:
        if rate.since > since and rate.since != known_until:
            break
        rates.append(Rate(max(rate.since, since), max(rate.percent + margin, ZERO)))
        known_until = ends
    return tuple(rates), known_until


def _known_until(rate: Rate, next_since: date | None, half_yearly: bool) -> date | None:
    if not half_yearly:
        return next_since
    ends = next_half_year(rate.since)
    return min(ends, next_since) if next_since else ends


def next_half_year(day: date) -> date:
    """Return the first 1 January or 1 July after a day."""
    return date(day.year, 7, 1) if day.month < 7 else date(day.year + 1, 1, 1)


def dutch_consumer_rate(ecb: Decimal, before: Decimal | None = None) -> Decimal:
    """Return the Dutch statutory rate for consumers from the ECB's rate at the end of April or October.

    The ECB's rate and 2.25, rounded to whole percent, half up; at most 2 points from the rate before (Besluit wettelijke rente).
    """
    found = rounded(max(Fraction(ecb) + Fraction(9, 4), Fraction(0)), Decimal(1))
    if before is None:
        return found
    return min(max(found, before - 2), before + 2)
