"""Interest schedules: versions, their rates, and the terms that a debt has by them."""

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Max, OuterRef, QuerySet, Subquery

from agents.models import Agent
from collection.claims import interest
from collection.claims.interest import Compounding, DayCount, Rate, Reset, Stop, Terms
from collection.models import Debt, Hold, InterestSchedule, SeriesRate
from collection.tariffs import rates
from ddc.common.errors import DomainError, Duplicate, Invalid, OutOfRange, refusing

SHIPPED = Path(interest.__file__).with_name("schedules.toml")
_CONSTRAINTS: dict[str, DomainError] = {
    "interest_schedule_version_is_unique": Duplicate("Another version was added at the same time.", field="code")
}


class SeriesOrFixedRate(Invalid):
    code = "required"
    field = "series"
    message = "Give either a series or a fixed rate."


class BadPercent(OutOfRange):
    message = "Enter percent a year from 0 to 1000, with 5 decimals at most."


@transaction.atomic
def add(*, by: Agent | None, **fields: Any) -> InterestSchedule:
    """Add a schedule, or the next version of one with this code. Debts stay with the version that they have.

    :raises SeriesOrFixedRate: if it has both or neither
    :raises BadPercent: if the margin or the fixed rate is out of range
    """
    row = InterestSchedule(**fields, by=by)
    row.code, row.series = row.code.strip().upper(), (row.series or "").strip().upper()
    if bool(row.series) == (row.fixed_percent is not None):
        raise SeriesOrFixedRate
    for name, least in (("margin", -rates.MOST), ("fixed_percent", 0)):
        value = getattr(row, name)
        if value is not None and not (least <= value <= rates.MOST and round(value, 5) == value):
            raise BadPercent(field=name)
    newest = InterestSchedule.objects.filter(code=row.code).aggregate(n=Max("version"))["n"]
    row.version = (newest or 0) + 1
    with refusing(_CONSTRAINTS):
        row.save(force_insert=True)
    return row


def load_shipped() -> None:
    """Add the schedules that the product ships, unless there is a version of them."""
    known = set(InterestSchedule.objects.values_list("code", flat=True))
    for row in tomllib.loads(SHIPPED.read_text(encoding="utf-8"))["schedule"]:
        if row["code"] not in known:
            percents = {name: Decimal(row[name]) for name in ("margin", "fixed_percent") if name in row}
            InterestSchedule.objects.create(**row | percents)


@dataclass(frozen=True)
class ScheduleRates:
    """The rates of a schedule from a day on, and the first day for which none is known; None: the last one stays."""

    rates: tuple[Rate, ...]
    unknown_from: date | None


class RateBook:
    """The rates of some schedules, read in one query."""

    def __init__(self, schedules: Iterable[InterestSchedule]) -> None:
        self.series = rates.by_series({schedule.series for schedule in schedules if schedule.series})
        self._found: dict[tuple[Any, date], ScheduleRates] = {}

    def of(self, schedule: InterestSchedule, since: date) -> ScheduleRates:
        """Return the rates of a schedule for a debt with interest from a day on."""
        key = schedule.pk, since
        if key not in self._found:
            self._found[key] = self._rates(schedule, since)
        return self._found[key]

    def _rates(self, schedule: InterestSchedule, since: date) -> ScheduleRates:
        if schedule.fixed_percent is not None:
            return ScheduleRates((Rate(since, schedule.fixed_percent),), None)
        found = interest.schedule_rates(
            Reset(schedule.reset),
            schedule.margin,
            self.series.get(schedule.series, ()),
            since,
            half_yearly=schedule.half_yearly,
        )
        return ScheduleRates(*found)


def terms_of(debt: Debt) -> Terms | None:
    """Return the interest of a debt; None if it bears none."""
    schedule, since = debt.interest_schedule, debt.interest_from
    if schedule is None or since is None:
        return None
    found = RateBook([schedule]).of(schedule, since)
    return Terms(
        since=since,
        rates=found.rates,
        day_count=DayCount(schedule.day_count),
        compounding=Compounding(schedule.compounding),
        stops=tuple(_stops(debt)),
        known_until=found.unknown_from,
        on_costs=schedule.on_costs,
    )


def _stops(debt: Debt) -> Iterator[Stop]:
    """Yield the days on which holds stop a debt's interest. Ending a hold moves its last day, so it counts until then."""
    for hold in Hold.objects.on(debt).filter(blocks_interest=True):
        yield Stop(hold.starts_on, hold.ends_on)


@dataclass(frozen=True)
class MissingRate:
    """A series without a rate that schedules need from a day on."""

    series: str
    since: date
    schedules: tuple[str, ...]


def with_rates(found: QuerySet[InterestSchedule]) -> QuerySet[InterestSchedule]:
    """Add to each schedule the first day of the newest rate of its series, for ``InterestSchedule.no_rate_from``."""
    newest = SeriesRate.objects.filter(series=OuterRef("series")).order_by("-valid_from")
    return found.annotate(newest_rate=Subquery(newest.values("valid_from")[:1]))


def missing_rates(today: date) -> list[MissingRate]:
    """Return the series that lack a rate for today, by the newest version of each schedule."""
    by_series: dict[str, dict[str, date]] = {}
    for schedule in with_rates(InterestSchedule.objects.order_by("code", "version")):
        by_code = by_series.setdefault(schedule.series, {})
        by_code.pop(schedule.code, None)
        if schedule.no_rate_from and schedule.no_rate_from <= today:
            by_code[schedule.code] = schedule.no_rate_from
    return [
        MissingRate(series, min(by_code.values()), tuple(sorted(by_code)))
        for series, by_code in sorted(by_series.items())
        if by_code
    ]
