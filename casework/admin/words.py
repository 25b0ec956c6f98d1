"""Amounts, times and people in the words of a person's page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import CharField, F, Value
from django.db.models.functions import Coalesce, Concat, NullIf, Trim
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now

from casework import identity
from ddc.common.admin.pages import amount
from ddc.common.days import agency_today, agency_zone
from ddc.common.zones import zone_info

#: Beside more clocks than this, only the first and the last are named.
_MOST_CLOCKS = 2


def sum_of(value: Decimal, currency: str) -> str:
    """Write an amount as the lists have it."""
    return amount(value, currency)


def styled(value: Decimal, currency: str) -> SafeString:
    """Write an amount for a page, its currency lighter."""
    number, code = sum_of(value, currency).split()
    return format_html('<span class="money">{} <i>{}</i></span>', number, code)


def day(value: date | datetime) -> str:
    """Write a day as agents say it, with the year only if it is not this one."""
    year = "" if value.year == agency_today(now()).year else f" {value.year}"
    return f"{value:%a} {value.day} {value:%b}{year}"


@dataclass(frozen=True)
class Clocks:
    """The agency's clock, and those of the places where a person may be."""

    theirs: Sequence[ZoneInfo]
    ours: ZoneInfo

    @classmethod
    def of(cls, zones: frozenset[str]) -> "Clocks":
        return cls(tuple(zone_info(zone) for zone in sorted(zones)), agency_zone())

    def time(self, at: datetime) -> str:
        """Write a time by the person's clock with the agency's next to it: ``08:02 in New York (13:02 here)``."""
        here = at.astimezone(self.ours)
        local = sorted({(at.astimezone(zone).replace(tzinfo=None), _city(zone)) for zone in self.theirs})
        by_time: dict[datetime, str] = {}
        for moment, city in local:
            by_time.setdefault(moment, city)
        if not by_time:
            return f"{here:%H:%M} here"
        if list(by_time) == [here.replace(tzinfo=None)]:
            return f"{here:%H:%M}"
        named = list(by_time.items())
        shown = named if len(named) <= _MOST_CLOCKS else [named[0], named[-1]]
        joint = " and " if len(named) <= _MOST_CLOCKS else " to "
        text = joint.join(f"{moment:%H:%M} in {city}" for moment, city in shown)
        return f"{text} ({here:%H:%M} here)"

    def day_here(self, at: datetime) -> date:
        """Return the agency's day: the days of a timeline."""
        return at.astimezone(self.ours).date()

    def from_then(self, at: datetime, *, now: datetime) -> str:
        """Write from when on something is allowed: the day, if it is another one, and the time."""
        moment = at.astimezone(self.theirs[0]) if self.theirs else at.astimezone(self.ours)
        is_today = moment.date() == now.astimezone(moment.tzinfo).date()
        return self.time(at) if is_today else f"{moment:%a} {moment.day} {moment:%b}, {self.time(at)}"


def _city(zone: ZoneInfo) -> str:
    return zone.key.rsplit("/", 1)[-1].replace("_", " ")


def name_of(field: str) -> Coalesce:
    """Return the name of the agent in a reference, as ``Agent.name`` has it, for a query of plain values."""
    full = Trim(Concat(F(f"{field}__first_name"), Value(" "), F(f"{field}__last_name"), output_field=CharField()))
    return Coalesce(NullIf(full, Value("")), F(f"{field}__username"))


def identity_words(results: Mapping[str, bool | None]) -> str:
    """Describe the results of an identity check: ``Identity verified by birth date``."""
    if identity.passed(results):
        return f"Identity verified by {' and '.join(identity.questions(results, right=True))}"
    return f"Identity not verified: wrong {' and '.join(identity.questions(results, right=False))}"
