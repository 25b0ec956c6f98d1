"""Limitation periods: until when a court enforces a debt (``limitation.toml``).

A period is counted from the due date, else from the placement. It is a warning to agents; it stops contact only where a row
says that the law forbids to collect the debt after it.
"""

import tomllib
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any

from collection.models import Debt, LedgerEntry
from contact.engine.policies import Location, location


@dataclass(frozen=True, eq=False)
class Period:
    """One law's limitation period for some kinds of debt, in force from ``valid_from`` to the day before ``valid_to``."""

    code: str
    countries: frozenset[str]
    years: int
    section: str
    source: str
    checked_on: date
    confidence: str
    valid_from: date
    valid_to: date | None = None
    regions: frozenset[str] = frozenset()
    debt_kinds: frozenset[str] = frozenset()
    year_end: bool = False
    restarted_by_payment: bool = False
    bars_collection: bool = False

    def is_about(self, where: Location, debt_kind: str, day: date) -> bool:
        """Check whether the period applies at a location on a day; an unknown kind of debt may be any."""
        in_force = self.valid_from <= day and (self.valid_to is None or day < self.valid_to)
        is_here = where.country in self.countries and (not self.regions or where.region in self.regions)
        return in_force and is_here and (not self.debt_kinds or not debt_kind or debt_kind in self.debt_kinds)

    def last_day(self, begins: date, payments: Iterable[date] = ()) -> date:
        """Return the last day of the period, after payments that restarted it."""
        end = date(begins.year + self.years, 12, 31) if self.year_end else _years_after(begins, self.years)
        for paid_on in sorted(payments) if self.restarted_by_payment else ():
            if paid_on <= end:
                end = max(end, _years_after(paid_on, self.years))
        return end


@dataclass(frozen=True)
class Limitation:
    """The limitation of one debt."""

    last_day: date
    period: Period

    def is_over(self, today: date) -> bool:
        return today > self.last_day


def _read() -> tuple[Period, ...]:
    pack: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    common = {"source": pack["source"], "checked_on": pack["checked_on"]}
    return tuple(_period(common | row) for row in pack["period"])


def _period(row: dict[str, Any]) -> Period:
    (country, *_) = row["countries"]
    sets = {name: frozenset(row.get(name, ())) for name in ("countries", "debt_kinds")}
    regions = frozenset(location(country, name).region for name in row.get("regions", ()))
    return Period(**row | sets | {"regions": regions})


PERIODS = _read()
_BARRING = frozenset(country for period in PERIODS if period.bars_collection for country in period.countries)


@lru_cache(maxsize=16_384)
def applicable(locations: frozenset[Location], debt_kind: str, day: date) -> tuple[Period, ...]:
    """Return the periods that may apply on a day; those of a region replace those of its country."""
    found: list[Period] = []
    for where in locations:
        here = [period for period in PERIODS if period.is_about(where, debt_kind, day)]
        found += [period for period in here if period.regions] or here
    return tuple(dict.fromkeys(found))


def of_debts(
    places: Iterable[tuple[Debt, frozenset[Location]]],
    *,
    debt_kinds: Mapping[uuid.UUID, str],
    today: date,
    barring_only: bool = False,
) -> dict[uuid.UUID, Limitation]:
    """Return the limitation of each debt with a known period, by its id: the shortest period that may apply.

    The number of queries depends neither on the debts nor on their places.

    :param debt_kinds: the kind of debts of each creditor, as far as it is known
    :param barring_only: leave out the periods that do not forbid to collect the debt, and their queries
    """
    wanted = [(debt, where) for debt, where in places if not barring_only or any(w.country in _BARRING for w in where)]
    found = {debt: applicable(where, debt_kinds.get(debt.creditor_id, ""), today) for debt, where in wanted}
    if barring_only:
        found = {debt: tuple(p for p in periods if p.bars_collection) for debt, periods in found.items()}
    payments = _payments({debt.pk for debt, some in found.items() if any(p.restarted_by_payment for p in some)})
    return {
        debt.pk: min(
            (Limitation(p.last_day(debt.due_date or debt.placement_date, payments[debt.pk]), p) for p in periods),
            key=lambda limitation: limitation.last_day,
        )
        for debt, periods in found.items()
        if periods
    }


def _payments(debts: Collection[uuid.UUID]) -> dict[uuid.UUID, list[date]]:
    """Return the days of the payments of debts that were not reversed."""
    found: dict[uuid.UUID, list[date]] = defaultdict(list)
    if debts:
        paid = LedgerEntry.objects.filter(debt__in=debts, kind=LedgerEntry.Kind.PAYMENT, reversed_by__isnull=True)
        for debt, day in paid.filter(amount__lt=0).order_by().values_list("debt_id", "value_date"):
            found[debt].append(day)
    return found


def _years_after(day: date, years: int) -> date:
    """Return the same day in a later year; for 29 February the 28th, where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
