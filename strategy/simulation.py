"""Simulate the runs of several days: the real runs, one after the other in one transaction, which is then rolled back.

What is assumed: no payments, no replies, no other outside events; a message that the contact rules allow on a day is sent on it,
and arrives. Messages that wait already are left out. Rules and contact policies stay as they are.
"""

import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db import transaction

from communications.models import DUE_STATUSES, CommunicationLog, MessageStatus
from communications.outbox import may_go
from contact.decisions import TakenSlots
from contact.engine.decision import Verdict
from ddc.common.days import agency_today
from strategy import engine
from strategy.engine import Clock, Progress
from strategy.models import StrategyRun, StrategyStep

#: The longest simulation.
MOST_DAYS = 92
BATCH = 2_000
#: The rule, channel and country of a line of the report. A debtor without a country has none.
Key = tuple[uuid.UUID, str, str | None]


@dataclass
class _Day:
    """The counts of one day by rule, channel and country."""

    queued: Counter[Key] = field(default_factory=Counter)
    sent: Counter[Key] = field(default_factory=Counter)
    waiting: Counter[Key] = field(default_factory=Counter)
    denied: Counter[Key] = field(default_factory=Counter)


def run(run: StrategyRun, *, clock: Clock, progress: Progress | None = None) -> None:
    """Simulate the days from ``date`` to ``until`` of a dry run, and write the report into it."""
    assert run.until is not None
    days = [run.date + timedelta(days=number) for number in range((run.until - run.date).days + 1)]
    report: list[dict[str, Any]] = []
    totals: dict[str, engine.Line] = {}
    simulated: list[StrategyRun] = []
    with transaction.atomic():
        for number, day in enumerate(days, start=1):
            now = _time_of(day, clock=clock)
            real = StrategyRun.objects.create(date=day, status=StrategyRun.Status.DONE, started_at=now, created_at=now)
            engine.run(real, clock=lambda now=now: now)  # type: ignore[misc]
            real.refresh_from_db()
            simulated.append(real)
            names = {uuid.UUID(line["rule_id"]): line["name"] for line in real.rules}
            for line in real.rules:
                known = totals.get(line["rule_id"])
                totals[line["rule_id"]] = engine.add_lines(known, line) if known else line
            report.append({"date": day.isoformat(), "lines": list(_lines(_contact(simulated, now=now), names))})
            if progress:
                progress(number, len(days))
        transaction.set_rollback(True)
    run.days, run.rules = report, list(totals.values())
    run.save(update_fields=["days", "rules", "updated_at"])


def _time_of(day: date, *, clock: Clock) -> datetime:
    """Return the time of a day's run: now for today, and noon UTC of another day, when most places have that date."""
    now = clock()
    return now if day == agency_today(now) else datetime.combine(day, time(12), UTC)


def _contact(runs: list[StrategyRun], *, now: datetime) -> _Day:
    """Ask the contact gate about the messages that the simulation has queued and not sent, and send those that may go today."""
    steps = StrategyStep.objects.filter(message__status__in=DUE_STATUSES, run__in=runs).order_by("message")
    rules = dict(steps.values_list("message_id", "rule_id"))
    fresh = set(steps.filter(run=runs[-1]).values_list("message_id", flat=True))
    day, slots = _Day(), TakenSlots()
    for messages in _batches(list(rules)):
        allowed, ended = [], []
        for message, asked in zip(messages, may_go.gate_inputs(messages, now=now), strict=True):
            key = (
                rules[message.pk],
                message.communication_type,
                message.debtor.country_code if message.debtor else None,
            )
            if message.pk in fresh:
                day.queued[key] += 1
            _, decision = slots.decide(asked, now=now)
            opens = now if decision.verdict == Verdict.ALLOW else decision.until
            may_go_today = opens is not None and agency_today(opens) == agency_today(now)
            if decision.verdict == Verdict.DENY:
                day.denied[key] += 1
                ended.append(message.pk)
            elif may_go_today:
                day.sent[key] += 1
                allowed.append(message.pk)
            else:
                day.waiting[key] += 1
        CommunicationLog.objects.filter(pk__any_of=allowed).update(status=MessageStatus.SENT, sent_at=now, due_at=None)
        CommunicationLog.objects.filter(pk__any_of=ended).update(status=MessageStatus.BLOCKED, due_at=None)
    return day


def _batches(ids: list[uuid.UUID]) -> Iterator[list[CommunicationLog]]:
    for first in range(0, len(ids), BATCH):
        rows = CommunicationLog.objects.filter(pk__any_of=ids[first : first + BATCH])
        yield list(rows.select_related("debtor", "debt", "template").order_by("due_at", "id"))


def _lines(day: _Day, names: dict[uuid.UUID, str]) -> Iterator[dict[str, Any]]:
    keys = {*day.queued, *day.sent, *day.waiting, *day.denied}
    for key in sorted(keys, key=lambda key: (names.get(key[0], ""), key[1], key[2] or "")):
        rule, channel, country = key
        counts = {
            "queued": day.queued[key],
            "sent": day.sent[key],
            "waiting": day.waiting[key],
            "denied": day.denied[key],
        }
        yield {"rule_id": str(rule), "name": names.get(rule, ""), "channel": channel, "country": country, **counts}
