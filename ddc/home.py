"""The back office's home page: one search, the reader's work, today's figures and charts, by what the reader may do."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.timezone import now

from casework import summaries, worklists
from casework.admin.words import day, styled, sum_of
from casework.summaries import Waiting
from collection.balances import totals
from collection.balances.totals import Rates
from ddc.common.days import agency_today, agency_zone

#: Of so many currencies the sums are named; more are only counted.
_MOST_CURRENCIES = 2
_NOON, _EVENING = 12, 18


@dataclass(frozen=True)
class Task:
    """One kind of work that waits, as a line of *My work now*."""

    waiting: Waiting
    rates: Rates
    zone: Any
    note: str = ""
    may_start: bool = True

    @property
    def number(self) -> str:
        count = self.waiting.count
        return f"{count:,}" if count < worklists.MAX_COUNT else f"{worklists.MAX_COUNT:,} or more"

    @property
    def oldest(self) -> str:
        since = self.waiting.oldest
        if isinstance(since, datetime):
            here = since.astimezone(self.zone)
            return f"Oldest from {day(here)}, {here:%H:%M}"
        return f"Oldest from {day(since)}" if since else ""

    @property
    def late(self) -> str:
        return f"{self.waiting.late:,} {self.waiting.worklist.late_words}" if self.waiting.late else ""

    @property
    def tone(self) -> str:
        return "bad" if self.waiting.is_urgent else "warn"

    @property
    def total(self) -> SafeString | str:
        """The open balances in the reporting currency, if all can be converted."""
        return converted(self.waiting.sums, self.rates)

    @property
    def sums(self) -> str:
        """The open balances by currency."""
        return by_currency(self.waiting.sums)


def page(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the home page what its reader may see and do."""
    moment: datetime = now()
    agent: Any = request.user
    here = moment.astimezone(agency_zone())
    rates = totals.latest_rates(agency_today(moment))
    return context | {
        "title": "Home",
        "greeting": f"{_greeting(here)}, {agent.first_name or agent.get_username()}",
        "today": f"{here:%A} {here.day} {here:%B %Y}",
        "clock": f"{here:%H:%M} in {here.tzinfo.key.rsplit('/', 1)[-1].replace('_', ' ')}",  # type: ignore[union-attr]
        "tasks": _tasks(agent, rates, moment),
        "has_work": bool(worklists.of(agent)),
        "reporting_currency": settings.REPORTING_CURRENCY,
    }


def _greeting(here: datetime) -> str:
    if here.hour < _NOON:
        return "Good morning"
    return "Good afternoon" if here.hour < _EVENING else "Good evening"


def _tasks(agent: Any, rates: Rates, moment: datetime) -> list[Task]:
    """Return what waits, the most urgent first."""
    counted = summaries.waiting(agent, now=moment, most=worklists.MAX_COUNT, with_sums=True)
    found = []
    for each in worklists.of(agent):
        if (waiting := counted[each.kind]).count:
            note, may_start = _calls(agent, waiting.count, moment) if each.kind == "calls" else ("", True)
            found.append(Task(waiting, rates, agency_zone(), note, may_start))
    return sorted(found, key=lambda task: (not task.waiting.is_urgent, not task.waiting.late))


def _calls(agent: Any, count: int, moment: datetime) -> tuple[str, bool]:
    """Return how many of the oldest calls may be made now, and whether any may."""
    allowed, first_at = worklists.calls_now(agent, now=moment)
    if allowed:
        of_oldest = f" of the oldest {worklists.CALLS_ASKED}" if count > worklists.CALLS_ASKED else ""
        return f"{allowed}{of_oldest} may be made now", True
    later = f"; the first from {first_at.astimezone(agency_zone()):%H:%M}" if first_at else ""
    return f"None may be made now{later}", False


def converted(amounts: Mapping[str, Decimal], rates: Rates) -> SafeString | str:
    """Write sums as one in the reporting currency, or nothing where a rate is missing."""
    if not amounts:
        return ""
    found = rates.add(amounts, settings.REPORTING_CURRENCY)
    if found.amount is None or found.unconverted:
        return ""
    return styled(found.amount, found.currency_code)


def by_currency(amounts: Mapping[str, Decimal]) -> str:
    """Write the largest sums by currency, never added."""
    largest = sorted(amounts.items(), key=lambda part: -part[1])
    named = [sum_of(amount, currency) for currency, amount in largest[:_MOST_CURRENCIES]]
    more = [f"{len(largest) - _MOST_CURRENCIES} more"] if len(largest) > _MOST_CURRENCIES else []
    return ", ".join(named + more)
