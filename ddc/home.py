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

from agents.models import Agent
from audit.models import ListExport
from casework import figures, worklists
from casework.admin.words import day, styled, sum_of
from casework.models import DayFigures
from casework.summaries import Waiting
from collection.balances import totals
from collection.balances.totals import Rates
from ddc import charts, menu, system_health
from ddc.common.days import agency_today, agency_zone
from strategy.models import StrategyRun

#: The sums of so many currencies are named; more are only counted.
_MOST_CURRENCIES = 2
_NEWEST, _MOST_AGENTS = 5, 30
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
    today = agency_today(moment)
    rates = totals.latest_rates(today)
    days = figures.latest(now=moment)
    measured = days[-1] if days and days[-1].day == today else None
    return context | {
        "title": "Home",
        "greeting": f"{_greeting(here)}, {agent.first_name or agent.get_username()}",
        "today": f"{here:%A} {here.day} {here:%B %Y}",
        "clock": f"{here:%H:%M} in {here.tzinfo.key.rsplit('/', 1)[-1].replace('_', ' ')}",  # type: ignore[union-attr]
        "tasks": _tasks(agent, menu.waiting(request), rates, moment),
        "has_work": bool(worklists.of(agent)),
        "reporting_currency": settings.REPORTING_CURRENCY,
        "cards": today_cards(measured, rates, decides=_plans_runs(agent)) if measured else [],
        "measured_at": f"{measured.measured_at.astimezone(agency_zone()):%H:%M}" if measured else "",
        "last_weekday": f"last {here:%A}",
        "charts": charts.of(agent, days, rates, today),
        **_of_role(agent, measured),
    }


@dataclass(frozen=True)
class Card:
    """One figure of today beside that of the same weekday last week at the same time."""

    title: str
    figure: str
    before: str
    detail: str = ""


def today_cards(measured: DayFigures, rates: Rates, *, decides: bool) -> list[Card]:
    """Return the four figures of today; agents see their follow-ups in place of what was decided."""
    today, before = measured.figures, measured.week_ago or {}
    sums, sums_before = charts.collected_by(today), charts.collected_by(before)
    sent, sent_before = _delivered(today), _delivered(before)
    return [
        Card("Collected today", _sum(sums, rates), _sum(sums_before, rates), by_currency(sums)),
        _decided(today, before) if decides else _follow_ups(today, before),
        Card("Messages delivered", _percent(sent), _percent(sent_before), f"{sent[0]:,} of {sent[1]:,} sent today"),
        Card("Talks with the right person", f"{today['talks']:,}", f"{before.get('talks', 0):,}"),
    ]


def _decided(today: Mapping[str, Any], before: Mapping[str, Any]) -> Card:
    decided = today["decided"]
    granted = f"{decided.get('approved', 0):,} granted, {decided.get('rejected', 0):,} refused"
    return Card(
        "Deferrals decided", f"{sum(decided.values()):,}", f"{sum(before.get('decided', {}).values()):,}", granted
    )


def _follow_ups(today: Mapping[str, Any], before: Mapping[str, Any]) -> Card:
    (done, due), (done_before, due_before) = today.get("follow_ups", (0, 0)), before.get("follow_ups", (0, 0))
    shown = f"{done:,} of {due:,}" if due else "None due"
    return Card("Follow-ups kept", shown, f"{done_before:,} of {due_before:,}", "Done by their day")


def _sum(sums: Mapping[str, Decimal], rates: Rates) -> str:
    return str(converted(sums, rates)) or (by_currency(sums) if sums else f"0 {settings.REPORTING_CURRENCY}")


def _delivered(day: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many messages were delivered, and how many went out."""
    by_status = list(day.get("messages", {}).values())
    delivered = sum(counts.get("delivered", 0) for counts in by_status)
    return delivered, delivered + sum(counts.get(one, 0) for counts in by_status for one in ("sent", "bounced"))


def _percent(found: tuple[int, int]) -> str:
    delivered, sent = found
    return f"{100 * delivered / sent:.1f} %" if sent else "None sent"


def _plans_runs(agent: Any) -> bool:
    return bool(agent.has_perm("strategy.add_strategyrun"))


def _of_role(agent: Any, measured: DayFigures | None) -> dict[str, Any]:
    """Return runs, queues and the team for those who plan runs; checks and exports for those who only see changes."""
    if _plans_runs(agent):
        return {
            "runs": list(StrategyRun.objects.defer("rules", "contact")[:_NEWEST]),
            "team": _team(measured),
            "state_title": "Queues and providers",
            "state": [*system_health.queues(), *system_health.providers()],
        }
    if agent.has_perm("audit.view_auditevent"):
        return {
            "exports": list(ListExport.objects.all()[:_NEWEST]),
            "is_auditor": True,
            "state_title": "Last checks of the database",
            "state": system_health.last_results(),
        }
    return {}


def _team(measured: DayFigures | None) -> list[dict[str, Any]]:
    """Return what each agent did today, those with most first."""
    found = measured.figures["team"] if measured else {}
    names = {str(agent.pk): str(agent) for agent in Agent.objects.filter(pk__in=found)}
    rows = [{"name": names[key], **counts} for key, counts in found.items() if key in names]
    return sorted(rows, key=lambda row: -sum(value for value in row.values() if isinstance(value, int)))[:_MOST_AGENTS]


def _greeting(here: datetime) -> str:
    if here.hour < _NOON:
        return "Good morning"
    return "Good afternoon" if here.hour < _EVENING else "Good evening"


def _tasks(agent: Any, counted: Mapping[str, Waiting], rates: Rates, moment: datetime) -> list[Task]:
    """Return what waits, the most urgent first."""
    found = []
    for each in worklists.of(agent):
        if (waiting := counted[each.kind]).count:
            # Who leads the team hardly calls, and asking the contact gate takes a dozen queries.
            asks = each.kind == "calls" and not _plans_runs(agent)
            note, may_start = _calls(agent, waiting.count, moment) if asks else ("", True)
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
