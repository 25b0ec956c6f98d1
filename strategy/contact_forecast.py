"""Forecast how many of the messages of a run may go at once, how many later and when, and how many never.

A worker asks the contact gate after the run, so that the run itself takes no longer. The decision on each message is stored, but
releases none: the gate decides again before a message is sent. A dry run has no messages, and keeps only the totals.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from collection.models import Debt
from communications.models import CommunicationLog, CommunicationTemplate
from communications.outbox import may_go
from contact import decisions
from contact.decisions import Stage, TakenSlots
from contact.engine.decision import TEMPORARY, Decision, Verdict
from ddc.common.process.wake import wake_worker
from strategy import matching
from strategy.models import StrategyRule, StrategyRun, StrategyStep

#: The number of messages that are decided together.
BATCH = 2_000
#: An older run gets no forecast any more.
MAX_AGE = timedelta(days=1)
#: The number of hours that are listed; messages for later hours are counted with the last one.
MAX_HOURS = 48
TASK = "strategy.tasks.forecast_contact"


@dataclass
class _Tally:
    """The totals of the decisions so far."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[tuple[Verdict, str]] = field(default_factory=Counter)
    hours: Counter[datetime] = field(default_factory=Counter)

    def add(self, decision: Decision) -> None:
        self.verdicts[decision.verdict] += 1
        # A reason that only postpones does not matter where another one denies.
        codes = {reason.code for reason in decision.reasons}
        for code in codes - TEMPORARY if decision.verdict == Verdict.DENY else codes:
            self.reasons[decision.verdict, code.value] += 1
        if decision.until:
            self.hours[decision.until.replace(minute=0, second=0, microsecond=0)] += 1


def request(run: StrategyRun) -> None:
    """Wake a worker to make the forecast of a finished run."""
    if run.contact is None and run.until is None:
        wake_worker(TASK)


def make_missing(*, now: datetime) -> int:
    """Make the forecasts that are missing, each by one worker. Return their number."""
    missing = StrategyRun.objects.filter(
        status=StrategyRun.Status.DONE, contact__isnull=True, until__isnull=True, finished_at__gt=now - MAX_AGE
    )
    return sum(_make(pk) for pk in list(missing.values_list("pk", flat=True)))


@transaction.atomic
def _make(pk: uuid.UUID) -> bool:
    run = (
        StrategyRun.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=pk, contact__isnull=True).first()
    )
    if run is None or run.finished_at is None:
        return False
    steps = StrategyStep.objects.filter(run=run).order_by("message")
    queued = list(steps.values_list("message_id", flat=True))
    run.contact = of_messages(_loaded(queued), now=run.finished_at, stage=Stage.QUEUED)
    run.save(update_fields=["contact", "updated_at"])
    return True


def of_due(rules: Sequence[StrategyRule], *, now: datetime) -> dict[str, Any]:
    """Return the forecast of the messages that the rules would queue for the debts that ``matching`` found due."""
    return of_messages(_unsaved(rules), now=now)


def _unsaved(rules: Sequence[StrategyRule]) -> Iterator[list[CommunicationLog]]:
    due = matching.due(rules)
    templates = CommunicationTemplate.objects.in_bulk({template for template, _, _ in due})
    for first in range(0, len(due), BATCH):
        batch = due[first : first + BATCH]
        debts = Debt.objects.filter(pk__any_of={debt for _, _, debt in batch}).select_related("debtor").in_bulk()
        yield [
            CommunicationLog(
                debtor=debts[debt].debtor,
                debt=debts[debt],
                template=templates[template],
                communication_type=channel,
            )
            for template, channel, debt in batch
        ]


def _loaded(queued: Sequence[uuid.UUID]) -> Iterator[list[CommunicationLog]]:
    for first in range(0, len(queued), BATCH):
        batch = CommunicationLog.objects.filter(pk__any_of=queued[first : first + BATCH])
        yield list(batch.select_related("debtor", "debt", "template").order_by("due_at", "id"))


def of_messages(
    batches: Iterable[Sequence[CommunicationLog]], *, now: datetime, stage: Stage | None = None
) -> dict[str, Any]:
    """Decide on messages (with debtors, debts and templates loaded) as of one moment, and count the decisions.

    A message that may go counts as a contact for those after it. The number of queries depends on the number of batches only.
    With a ``stage``, each decision is stored.
    """
    tally, slots = _Tally(), TakenSlots()
    for messages in batches:
        decided = [slots.decide(one, now=now) for one in may_go.gate_inputs(messages, now=now)]
        for _, decision in decided:
            tally.add(decision)
        if stage:
            decisions.record(decided, stage=stage, now=now)
    return _as_json(tally, now)


def _as_json(tally: _Tally, now: datetime) -> dict[str, Any]:
    hours = sorted(tally.hours.items())
    if len(hours) > MAX_HOURS:
        later = sum(count for _, count in hours[MAX_HOURS - 1 :])
        hours = [*hours[: MAX_HOURS - 1], (hours[MAX_HOURS - 1][0], later)]
    return {
        "at": now.isoformat(),
        "allowed": tally.verdicts[Verdict.ALLOW],
        "postponed": tally.verdicts[Verdict.POSTPONE],
        "denied": tally.verdicts[Verdict.DENY],
        "reasons": [
            {"verdict": verdict.value, "code": code, "count": count}
            for (verdict, code), count in sorted(
                tally.reasons.items(), key=lambda counted: (counted[0][0], -counted[1])
            )
        ],
        "openings": [{"hour": hour.isoformat(), "count": count} for hour, count in hours],
    }
