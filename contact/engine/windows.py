"""Contact windows: at which moments policies with hours, weekdays or holidays allow a contact.

A moment has to suit the clocks of every time zone where the debtor may be.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache

from contact.engine.hours import NATIONAL_HOLIDAYS, Span, parse
from contact.engine.policies import Location, Policy
from ddc.common.zones import zone_info
from debtors.places.holidays import is_holiday

#: How far ahead an open moment is searched for. No policy closes a fortnight; one that does leaves no opening at all.
HORIZON = timedelta(days=16)
_DAY = timedelta(days=1)
#: The days by time zones whose moments are kept; a worker runs for weeks.
_KEPT_TIMELINES = 4_096


class Closed(StrEnum):
    """Why a contact window is closed."""

    HOURS = "hours"
    WEEKDAY = "weekday"
    HOLIDAY = "holiday"


class ContactWindows:
    """The windows of some policies for a debtor at some locations."""

    def __init__(self, policies: Iterable[Policy], locations: frozenset[Location]) -> None:
        self.policies = tuple(policies)
        self._holiday_locations = {
            id(policy): policy.holiday_locations(locations) for policy in self.policies if policy.keeps_holidays
        }
        self._times = frozenset({time.min}).union(*(parse(policy.hours).edges for policy in self.policies))
        self._timelines: dict[tuple[frozenset[str], date], tuple[tuple[datetime, bool], ...]] = {}

    def closed_because(self, policy: Policy, local: datetime) -> Closed | None:
        """Return why a policy's window is closed at a local time; None if it is open or the policy is not in force."""
        day = local.date()
        if not policy.is_in_force(day):
            return None
        is_special, span = self.span(policy, day)
        if span is None:
            return Closed.HOLIDAY if is_special else Closed.WEEKDAY
        first, end = span
        now = local.time()
        return None if first <= now and (end == time.min or now < end) else Closed.HOURS

    def span(self, policy: Policy, day: date) -> tuple[bool, Span | None]:
        """Return whether a day is a holiday of its own for a policy, and its hours; None where it is closed."""
        hours = parse(policy.hours)
        is_named, span = hours.on_date(day)
        if is_named:
            return True, span
        for name, on_holiday in hours.holidays:
            national = name == NATIONAL_HOLIDAYS
            if any(
                is_holiday(day, where.country, where.region, national=national)
                for where in self._holiday_locations[id(policy)]
            ):
                return True, on_holiday
        return False, hours.weekdays[day.weekday()]

    def is_open(self, now: datetime, zones: frozenset[str]) -> bool:
        """Check whether every window is open by every clock."""
        is_open = False
        for since, state in self._timeline(zones, now.astimezone(UTC).date()):
            if since > now:
                break
            is_open = state
        return is_open

    def next_open_time(self, now: datetime, zones: frozenset[str]) -> datetime | None:
        """Return the first moment from ``now`` on at which every window is open by every clock; None if there is none."""
        if self.is_open(now, zones):
            return now
        day, last = now.astimezone(UTC).date(), (now + HORIZON).date()
        while day <= last:
            for since, state in self._timeline(zones, day):
                if state and since > now:
                    return since
            day += _DAY
        return None

    def _timeline(self, zones: frozenset[str], day: date) -> tuple[tuple[datetime, bool], ...]:
        """Return the moments of a UTC day at which all windows open or close. Between two of them nothing changes."""
        key = (zones, day)
        if key not in self._timelines:
            if len(self._timelines) >= _KEPT_TIMELINES:
                self._timelines.clear()
            starts = datetime.combine(day, time.min, UTC)
            moments = {starts}
            for zone in zones:
                moments |= {edge for edge in self._edges(zone, day) if starts <= edge < starts + _DAY}
            self._timelines[key] = tuple((moment, self._all_open(moment, zones)) for moment in sorted(moments))
        return self._timelines[key]

    def _all_open(self, moment: datetime, zones: frozenset[str]) -> bool:
        locals_ = [moment.astimezone(zone_info(zone)) for zone in zones]
        return all(self.closed_because(policy, local) is None for policy in self.policies for local in locals_)

    def _edges(self, zone: str, day: date) -> Iterator[datetime]:
        """Yield the moments at which a window may open or close by one clock: midnight, its hours, a change of the clock."""
        info = zone_info(zone)
        if change := clock_change(zone, day):
            yield change
        for local_day in (day - _DAY, day, day + _DAY):
            for edge in self._times:
                local = datetime.combine(local_day, edge, info)
                yield from (local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


@lru_cache(maxsize=16_384)
def clock_change(zone: str, day: date) -> datetime | None:
    """Return when a zone's clock is put forward or back during a UTC day; None on any other day."""
    info = zone_info(zone)
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
    return datetime.combine(day, time.min, zone_info(zone)).astimezone(UTC)
