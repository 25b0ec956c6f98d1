"""Contact hours as text: ``Mon-Fri 07:30-21:00; Sat,Sun 09:00-21:00; holidays off``.

Parts are separated by semicolons. A part names days and their hours, or ``off``. Days are weekdays, ``holidays`` (public holidays
of the country and the region), ``national holidays`` (those of the whole country), a date such as ``24 Jun``, or a day counted
from Easter Sunday such as ``Easter+1``. A weekday that no part names is closed. What is said of holidays and dates goes before
what is said of weekdays; without it they are ordinary days.
"""

import re
from dataclasses import dataclass
from datetime import date, time, timedelta

from dateutil.easter import easter

from ddc.common.bounded_cache import bounded_cache

#: The first moment that is allowed and the end; an end of ``time.min`` is midnight.
Span = tuple[time, time]
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOLIDAYS, NATIONAL_HOLIDAYS = "holidays", "national holidays"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_PART = re.compile(r"(?P<days>.+?) (?:(?P<opens>\d\d:\d\d)-(?P<closes>\d\d:\d\d)|off)")
_MIDNIGHT = "24:00"
_LONGEST = 300


@dataclass(frozen=True)
class Hours:
    """Parsed hours. ``weekdays`` has seven spans from Monday on; None where the day is closed."""

    weekdays: tuple[Span | None, ...]
    holidays: tuple[tuple[str, Span | None], ...] = ()
    dates: tuple[tuple[str, Span | None], ...] = ()

    @property
    def edges(self) -> frozenset[time]:
        """The times of day at which a window may open or close."""
        spans = (*self.weekdays, *(span for _, span in (*self.holidays, *self.dates)))
        return frozenset({time.min, *(edge for span in spans if span for edge in span)})

    def on_date(self, day: date) -> tuple[bool, Span | None]:
        """Return whether a part names this date, and its span."""
        return next(((True, span) for name, span in self.dates if _date(name, day.year) == day), (False, None))


@bounded_cache(4_096, longest=_LONGEST)
def parse(text: str) -> Hours:
    """Parse hours.

    :raises ValueError: if the text is not of this form, or closes before it opens
    """
    if len(text) > _LONGEST:
        raise ValueError(f"Hours have at most {_LONGEST} characters.")
    weekdays: list[Span | None] = [None] * 7
    holidays, dates = [], []
    for part in filter(None, map(str.strip, text.split(";"))):
        found = _PART.fullmatch(part)
        if not found:
            raise ValueError(f"“{part}” is not understood. Write for example: Mon-Fri 08:00-20:00; Sat off.")
        span = _span(found["opens"], found["closes"])
        for name in map(str.strip, found["days"].split(",")):
            if name in (HOLIDAYS, NATIONAL_HOLIDAYS):
                holidays.append((name, span))
            elif name[:3] in DAYS:
                for index in _weekdays(name):
                    weekdays[index] = span
            else:
                _date(name, 2000)
                dates.append((name, span))
    if not any(weekdays):
        raise ValueError("No weekday has hours. Name at least one, such as: Mon-Fri 08:00-20:00.")
    return Hours(tuple(weekdays), tuple(holidays), tuple(dates))


def write(opens: time, closes: time, weekdays: frozenset[int] = frozenset()) -> str:
    """Return the text of the same hours on some weekdays (ISO numbers; empty: every day)."""
    days = ",".join(DAYS[number - 1] for number in sorted(weekdays)) or "Mon-Sun"
    return f"{days} {opens:%H:%M}-{_MIDNIGHT if closes == time.min else format(closes, '%H:%M')}"


def _span(opens: str | None, closes: str | None) -> Span | None:
    if opens is None or closes is None:
        return None
    if opens >= closes:
        raise ValueError(f"{opens}-{closes} closes before it opens. Enter the earlier time first.")
    return time.fromisoformat(opens), time.min if closes == _MIDNIGHT else time.fromisoformat(closes)


def _weekdays(name: str) -> list[int]:
    first, _, last = name.partition("-")
    if first not in DAYS or (last and last not in DAYS):
        raise ValueError(f"“{name}” is not a weekday. Use {', '.join(DAYS)}.")
    start, end = DAYS.index(first), DAYS.index(last or first)
    return [number % 7 for number in range(start, end + 1 + (7 if end < start else 0))]


def _date(name: str, year: int) -> date | None:
    """Return the day in a year that a name such as ``24 Jun`` or ``Easter+1`` means; None for 29 Feb in most years."""
    if found := re.fullmatch(r"Easter(?:([+-]\d{1,2}))?", name):
        sunday: date = easter(year)
        return sunday + timedelta(days=int(found[1] or 0))
    if (found := re.fullmatch(r"(\d{1,2}) ([A-Z][a-z]{2})", name)) and found[2] in _MONTHS:
        try:
            return date(year, _MONTHS.index(found[2]) + 1, int(found[1]))
        except ValueError:
            if name == "29 Feb":
                return None
    raise ValueError(f"“{name}” is not a day. Use Mon to Sun, holidays, national holidays, 24 Jun or Easter+1.")
