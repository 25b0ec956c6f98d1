"""What the contact gate says of all that a run queued: how much may go at once, how much later and when, how much never.

What it said of each message is kept, but lets none of them go: the gate is asked anew before it does. A worker works it out after
the run, which so takes no longer for it; of a dry run it belongs to the run, and there is no message yet to keep it of.
"""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from collection.models import Debt
from communications.contact import decisions, gate
from communications.contact.gate import PASSING, Contact, Decision, Facts, Verdict
from communications.models import CommunicationLog, ContactDecision
from ddc.common.nudge import nudge
from strategy import matching
from strategy.models import StrategyRule, StrategyRun, StrategyStep

#: How many messages are looked at together.
BATCH = 2_000
#: A run older than this gets no outlook any more: what it says would come too late.
WORTH_IT_FOR = timedelta(days=1)
#: How many hours are told apart; all that opens later is told with the last one.
MOST_HOURS = 48
TASK = "strategy.tasks.foresee_contact"


@dataclass
class _Tally:
    """What has been counted so far, and who would have been contacted by then."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[tuple[Verdict, str]] = field(default_factory=Counter)
    hours: Counter[datetime] = field(default_factory=Counter)
    made: defaultdict[uuid.UUID, list[Contact]] = field(default_factory=lambda: defaultdict(list))

    def add(self, decision: Decision) -> None:
        self.verdicts[decision.verdict] += 1
        # What only delays doesn't matter where something forbids.
        codes = {reason.code for reason in decision.reasons}
        for code in codes - PASSING if decision.verdict == Verdict.DENY else codes:
            self.reasons[decision.verdict, code.value] += 1
        if decision.until:
            self.hours[decision.until.replace(minute=0, second=0, microsecond=0)] += 1


def ask_for(run: StrategyRun) -> None:
    """Have a worker work out the outlook of a run that is done."""
    if run.contact is None:
        nudge(TASK)


def work_out(*, now: datetime) -> int:
    """Work out the outlooks that are missing; return how many. Each is worked out by one worker."""
    missing = StrategyRun.objects.filter(
        status=StrategyRun.Status.DONE, contact__isnull=True, finished_at__gt=now - WORTH_IT_FOR
    )
    return sum(_work_out(pk) for pk in list(missing.values_list("pk", flat=True)))


@transaction.atomic
def _work_out(pk: uuid.UUID) -> bool:
    run = (
        StrategyRun.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=pk, contact__isnull=True).first()
    )
    if run is None or run.finished_at is None:
        return False
    steps = StrategyStep.objects.filter(run=run).order_by("log")
    queued = list(steps.values_list("log_id", flat=True))
    run.contact = of_messages(_loaded(queued), at=run.finished_at, kept_as=ContactDecision.Stage.QUEUED)
    run.save(update_fields=["contact", "updated_at"])
    return True


def of_due(rules: Sequence[StrategyRule], *, at: datetime) -> dict[str, Any]:
    """Tell the same of what the rules would queue, after they were weighed and before anything is taken back."""
    return of_messages(_imagined(rules), at=at)


def _imagined(rules: Sequence[StrategyRule]) -> Iterator[list[CommunicationLog]]:
    by_id = {rule.pk: rule for rule in rules}
    due = matching.due(rules)
    for first in range(0, len(due), BATCH):
        some = due[first : first + BATCH]
        debts = Debt.objects.filter(pk__any_of={debt for _, debt in some}).select_related("debtor").in_bulk()
        yield [
            CommunicationLog(
                debtor=debts[debt].debtor,
                debt=debts[debt],
                template=by_id[rule].template,
                communication_type=by_id[rule].channel,
            )
            for rule, debt in some
        ]


def _loaded(queued: Sequence[uuid.UUID]) -> Iterator[list[CommunicationLog]]:
    for first in range(0, len(queued), BATCH):
        some = CommunicationLog.objects.filter(pk__any_of=queued[first : first + BATCH])
        yield list(some.select_related("debtor", "debt", "template").order_by("due_at", "id"))


def of_messages(
    batches: Iterable[Sequence[CommunicationLog]], *, at: datetime, kept_as: ContactDecision.Stage | None = None
) -> dict[str, Any]:
    """Ask the gate about messages (debtors, debts and templates loaded) as of one moment, and count what it says.

    Each that may go counts as made for those after it, as it will be. The number of queries is that of the batches.
    What it says of each is kept where ``kept_as`` tells the stage.
    """
    tally = _Tally()
    for logs in batches:
        asked = decisions.ask(logs, now=at)
        said = [(log, *_ask(log, one, tally, at=at)) for log, one in zip(logs, asked, strict=True)]
        if kept_as:
            decisions.keep(said, at=at, stage=kept_as)
    return _as_json(tally, at=at)


def _ask(log: CommunicationLog, asked: decisions.Asked, tally: _Tally, *, at: datetime) -> tuple[Facts, Decision]:
    facts = asked.facts
    is_counted = gate.applying(facts, asked.policies).counted
    if is_counted and log.debtor_id and (made := tally.made.get(log.debtor_id)):
        facts = replace(facts, history=(*facts.history, *made))
    decision = gate.decide(facts, asked.policies, at)
    tally.add(decision)
    if is_counted and log.debtor_id and decision.verdict == Verdict.ALLOW:
        tally.made[log.debtor_id].append(Contact(at, log.communication_type, log.debt_id, facts.address))
    return facts, decision


def _as_json(tally: _Tally, *, at: datetime) -> dict[str, Any]:
    hours = sorted(tally.hours.items())
    if len(hours) > MOST_HOURS:
        later = sum(count for _, count in hours[MOST_HOURS - 1 :])
        hours = [*hours[: MOST_HOURS - 1], (hours[MOST_HOURS - 1][0], later)]
    return {
        "at": at.isoformat(),
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
