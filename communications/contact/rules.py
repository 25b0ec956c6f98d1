"""What the law, and the agency itself, demand of a contact: policies as values, and when their windows are open.

No clock and no query. A moment is judged by the clocks of every zone where the debtor may be: it has to suit all of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays

from debtors.regions import fold

#: The agency's own window, which the site's settings give: it counts everywhere.
AGENCY = "AGENCY"
#: What counts where no other jurisdiction's policies do.
DEFAULT = "DEFAULT"
#: How far ahead an open moment is looked for. No rule shuts a fortnight; what does has no opening.
HORIZON = timedelta(days=16)
_DAY = timedelta(days=1)
_SATURDAY = 6


class Scope(StrEnum):
    """Whose contacts are counted together."""

    PERSON = "person"
    DEBT = "debt"
    ADDRESS = "address"


class Counts(StrEnum):
    """What counts. An attempt that never reached the number (busy, out of service) is none."""

    ATTEMPTS = "attempts"
    CONNECTED = "connected"
    CONVERSATIONS = "conversations"


@dataclass(frozen=True)
class Place:
    """Where a debtor may be, as far as the law asks. The words are folded as ``place`` does it."""

    country: str
    region: str = ""
    city: str = ""
    postal_code: str = ""


def place(country: str, region: str | None = None, city: str | None = None, postal_code: str | None = None) -> Place:
    """Return a place whose words can be compared: no case, no dots, no double spaces."""
    return Place(country.upper(), *(_fold(words) for words in (region, city, postal_code)))


def _fold(words: str | None) -> str:
    return " ".join((words or "").replace(".", "").casefold().split())


@dataclass(frozen=True, eq=False)
class Policy:
    """One rule of one jurisdiction in one version. What is empty demands nothing.

    ``weekdays`` are ISO numbers; without ``opens`` the whole day is open. ``per_days`` is in the debtor's calendar days,
    today included; None with ``most`` is the calendar month. ``cool_down_days`` count the conversation's own day.
    """

    jurisdiction: str
    code: str
    section: str
    version: int = 1
    countries: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    cities: frozenset[str] = frozenset()
    postal_prefixes: tuple[str, ...] = ()
    channels: frozenset[str] = frozenset()
    valid_from: date = date.min
    valid_to: date | None = None
    opens: time | None = None
    closes: time | None = None
    weekend_opens: time | None = None
    weekend_closes: time | None = None
    weekdays: frozenset[int] = frozenset()
    no_holidays: bool = False
    most: int | None = None
    per_days: int | None = None
    scope: Scope = Scope.PERSON
    counts: Counts = Counts.ATTEMPTS
    cool_down_days: int | None = None
    consent_needed: bool = False
    consent_days: int | None = None
    first_notice: bool = False

    @property
    def name(self) -> str:
        return f"{self.jurisdiction}/{self.code}"

    @property
    def title(self) -> str:
        """What a decision calls it: its name and version."""
        return f"{self.name}@{self.version}"

    @property
    def has_hours(self) -> bool:
        return self.opens is not None or bool(self.weekdays) or self.no_holidays

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def covers(self, where: Place) -> bool:
        """Tell whether the policy counts for somebody there."""
        if self.jurisdiction == AGENCY:
            return True
        if where.country not in self.countries:
            return False
        if self.regions and where.region not in self.regions:
            return False
        if not (self.cities or self.postal_prefixes):
            return True
        by_code = bool(self.postal_prefixes) and where.postal_code.startswith(self.postal_prefixes)
        return by_code or where.city in self.cities

    def whose_holidays(self, places: frozenset[Place]) -> tuple[Place, ...]:
        """Return the places whose public holidays are free by this policy."""
        return tuple(where for where in places if self.covers(where) or self.jurisdiction == DEFAULT)

    def hours(self, day: date) -> tuple[time, time] | None:
        """Return the day's first moment and the end (``time.min`` is midnight); None where the whole day is shut."""
        if self.weekdays and day.isoweekday() not in self.weekdays:
            return None
        if day.isoweekday() >= _SATURDAY and self.weekend_opens is not None:
            return self.weekend_opens, self.weekend_closes or time.min
        return self.opens or time.min, self.closes or time.min


class Shut(StrEnum):
    """Why a policy lets nothing through at a moment."""

    HOURS = "hours"
    WEEKDAY = "weekday"
    HOLIDAY = "holiday"


@lru_cache(maxsize=4096)
def _calendar(country: str, region: str, year: int) -> frozenset[date]:
    if country not in holidays.list_supported_countries():
        return frozenset()
    subdivision = _subdivisions(country).get(fold(region))
    return frozenset(holidays.country_holidays(country, subdiv=subdivision, years=year))


@cache
def _subdivisions(country: str) -> dict[str, str]:
    """Return the codes of a country's regions with holidays of their own, by folded code and by folded name."""
    calendar = holidays.country_holidays(country)
    named = {fold(name): code for name, code in calendar.subdivisions_aliases.items()}
    return named | {fold(code): code for code in calendar.subdivisions}


def is_holiday(day: date, where: Place) -> bool:
    """Tell whether a day is a public holiday in a country, or in that part of it."""
    return day in _calendar(where.country, where.region, day.year)


@dataclass(eq=False)
class Rules:
    """The policies that count for one kind of contact: who is where, by which channel."""

    policies: tuple[Policy, ...]
    places: frozenset[Place]
    _days: dict[tuple[frozenset[str], date], tuple[tuple[datetime, bool], ...]] = field(default_factory=dict)
    _titles: dict[frozenset[date], tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.windows = tuple(policy for policy in self.policies if policy.has_hours)
        self.caps = tuple(policy for policy in self.policies if policy.most is not None)
        self.cool_downs = tuple(policy for policy in self.policies if policy.cool_down_days)
        self.consents = tuple(policy for policy in self.policies if policy.consent_needed)
        self.first_notices = tuple(policy for policy in self.policies if policy.first_notice)
        self.counted = bool(self.caps or self.cool_downs)
        self._holiday_places = {
            id(policy): policy.whose_holidays(self.places) for policy in self.windows if policy.no_holidays
        }

    def titles_on(self, days: frozenset[date]) -> tuple[str, ...]:
        """Return the policies that are in force on any of the days, each with its version."""
        if days not in self._titles:
            self._titles[days] = tuple(p.title for p in self.policies if any(p.holds_on(day) for day in days))
        return self._titles[days]

    def shut(self, policy: Policy, local: datetime) -> Shut | None:
        """Tell why a policy's window is shut, by the clock that shows ``local``; None if it is open or not in force."""
        day = local.date()
        if not policy.holds_on(day):
            return None
        if policy.no_holidays and any(is_holiday(day, where) for where in self._holiday_places[id(policy)]):
            return Shut.HOLIDAY
        hours = policy.hours(day)
        if hours is None:
            return Shut.WEEKDAY
        first, end = hours
        now = local.time()
        return None if first <= now and (end == time.min or now < end) else Shut.HOURS

    def is_open(self, at: datetime, zones: frozenset[str]) -> bool:
        """Tell whether every window is open by every clock."""
        is_open = False
        for since, state in self._timeline(zones, at.astimezone(UTC).date()):
            if since > at:
                break
            is_open = state
        return is_open

    def opening(self, at: datetime, zones: frozenset[str]) -> datetime | None:
        """Return the first moment from ``at`` on at which every window is open by every clock; None if there is none."""
        if self.is_open(at, zones):
            return at
        day, last = at.astimezone(UTC).date(), (at + HORIZON).date()
        while day <= last:
            for since, state in self._timeline(zones, day):
                if state and since > at:
                    return since
            day += _DAY
        return None

    def _timeline(self, zones: frozenset[str], day: date) -> tuple[tuple[datetime, bool], ...]:
        """Return from when on, during a day in UTC, all is open or not. Between two of these moments nothing changes."""
        key = (zones, day)
        if key not in self._days:
            starts = datetime.combine(day, time.min, UTC)
            moments = {starts}
            for zone in zones:
                moments |= {m for m in self._turns(zone, day) if starts <= m < starts + _DAY}
            self._days[key] = tuple((moment, self._suits(moment, zones)) for moment in sorted(moments))
        return self._days[key]

    def _suits(self, moment: datetime, zones: frozenset[str]) -> bool:
        locals_ = [moment.astimezone(ZoneInfo(zone)) for zone in zones]
        return all(self.shut(policy, local) is None for policy in self.windows for local in locals_)

    def _turns(self, zone: str, day: date) -> Iterator[datetime]:
        """The moments at which anything may change by one clock: midnight, the hours of a window, the clock itself."""
        info = ZoneInfo(zone)
        if change := clock_change(zone, day):
            yield change
        for local_day in (day - _DAY, day, day + _DAY):
            edges = {time.min}
            for policy in self.windows:
                edges.update(policy.hours(local_day) or ())
            for edge in edges:
                local = datetime.combine(local_day, edge, info)
                yield from (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


@lru_cache(maxsize=16_384)
def clock_change(zone: str, day: date) -> datetime | None:
    """Return when a zone's clock is put on or back during a day in UTC; None on any other day."""
    info = ZoneInfo(zone)
    before = datetime.combine(day, time.min, UTC)
    after = before + _DAY

    def offset(moment: datetime) -> timedelta | None:
        return moment.astimezone(info).utcoffset()

    if offset(before) == offset(after):
        return None
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // 2
        if offset(middle) == offset(before):
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def midnight(day: date, zone: str) -> datetime:
    """Return the first moment (UTC) of a day by a zone's clock, also where the clock skips midnight."""
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


class Policies:
    """All policies that are known, and which of them count for whom."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self.all = tuple(policies)
        #: By the name that decisions give them.
        self.named = {policy.title: policy for policy in self.all}
        #: What counts for somebody who may be in these places, by a channel.
        self.applying = lru_cache(maxsize=65_536)(self._applying)
        self._rules: dict[Any, Rules] = {}

    def _applying(self, places: frozenset[Place], channel: str) -> Rules:
        """Find what counts; the default's only where nothing else does. Who is under the same law shares its calendar."""
        found: dict[int, Policy] = {}
        for where in places:
            own = [p for p in self.all if p.jurisdiction not in (AGENCY, DEFAULT) and p.covers(where)]
            for policy in own or [p for p in self.all if p.jurisdiction == DEFAULT]:
                found[id(policy)] = policy
        agency = [policy for policy in self.all if policy.jurisdiction == AGENCY]
        counting = tuple(p for p in (*agency, *found.values()) if not p.channels or channel in p.channels)
        calendars = tuple(sorted((id(p), _calendars(p, places)) for p in counting if p.no_holidays))
        key = (tuple(map(id, counting)), calendars)
        return self._rules.setdefault(key, Rules(counting, places))


def _calendars(policy: Policy, places: frozenset[Place]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(where.country, where.region) for where in policy.whose_holidays(places)}))
