"""Explain for one debt what the strategy did, will do and leaves out, and why.

It asks the statement of a run (``matching.occurrences``), so it cannot differ from what a run at the same time would do.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from collection.models import Debt, Segment
from ddc.common.days import agency_today
from strategy import matching, rules, triggers
from strategy.matching import Occurrence
from strategy.models import AfterPause, Reason, StrategyRule

#: Why a debt is left out, as a sentence for agents.
REASONS = {
    Reason.RULE_INACTIVE: "The rule was switched off during the run",
    Reason.ALREADY_QUEUED: "The rule has queued its message",
    Reason.BEFORE_RESTORE: "It may have gone out before the database was restored",
    Reason.TEMPLATE_INACTIVE: "The template is not active",
    Reason.TEMPLATE_CHANGED: "The template is for another channel now",
    Reason.CLOSED: "The debt is closed",
    Reason.DISPUTED: "The debt is disputed",
    Reason.DEFERRED: "The debt is deferred",
    Reason.HELD: "A hold stops the strategy",
    Reason.NOTHING_OWED: "Nothing is owed",
    Reason.CONDITIONS_NOT_MET: "The debt does not meet the rule's conditions",
    Reason.SUPERSEDED: "A later rule of the same pause takes its place",
    Reason.NO_ADDRESS: "There is no address for the channel",
    Reason.SUPPRESSED: "The address is suppressed for the channel",
    Reason.TOO_LATE: "It is later than the rule allows",
}
#: These end with a pause of the debt, and the rule is then due, unless it skips what fell into a pause.
_OF_PAUSES = (Reason.HELD, Reason.DISPUTED, Reason.DEFERRED)


class State(StrEnum):
    """Where a rule stands with a debt."""

    DONE = "done"
    DUE = "due"
    UPCOMING = "upcoming"
    LEFT_OUT = "left_out"
    PAUSED = "paused"
    MISSED = "missed"
    WAITING = "waiting"


@dataclass(frozen=True)
class PlanStep:
    """A rule for a debt by one anchor. Without an anchor nothing has started the rule's clock yet."""

    rule: StrategyRule
    state: State
    anchor: uuid.UUID | None = None
    day: date | None = None
    message_id: uuid.UUID | None = None
    reason: Reason | None = None

    @property
    def trigger(self) -> str:
        return triggers.explain(self.rule.trigger)

    @property
    def explanation(self) -> str:
        """Why it stands so; empty where its state is enough."""
        if self.state == State.WAITING:
            return "Nothing has started its clock yet"
        return REASONS[self.reason] if self.reason and self.state != State.DONE else ""


@dataclass(frozen=True)
class Plan:
    """What the strategy does with a debt."""

    segment: Segment | None
    segment_reason: str
    steps: Sequence[PlanStep]


def plan(debt: Debt, *, now: datetime) -> Plan:
    """Return the rules of a debt's segment, each with the messages that it queued, queues next or does not queue, and why."""
    day = agency_today(now)
    active = rules.active()
    found = matching.occurrences(active, [debt.pk], day=day, now=now) if active else []
    return Plan(debt.segment, segment_reason(debt), list(_steps(active, found, day, debt)))


def segment_reason(debt: Debt) -> str:
    """Explain why a debt is in its segment."""
    if debt.segment is None:
        return "The debt fits no active segment, so no rule reaches it."
    if debt.segment_is_pinned:
        return "An agent chose this segment."
    segment = debt.segment
    bands = [
        f"currency {segment.currency_code}" if segment.currency_code else "",
        _band("balance", segment.min_balance, segment.max_balance),
        _band("promise-to-pay score", segment.min_p2p_score, segment.max_p2p_score),
        _band("days since placement", segment.min_days_since_placement, segment.max_days_since_placement),
    ]
    fits = ", ".join(filter(None, bands)) or "it takes every debt"
    return f"The first segment by priority that the debt fits: {fits}."


def _band(name: str, minimum: object, maximum: object) -> str:
    bounds = [f"from {minimum}"] if minimum is not None else []
    bounds += [f"below {maximum}"] if maximum is not None else []
    return f"{name} {' '.join(bounds)}" if bounds else ""


def _steps(active: Sequence[StrategyRule], found: Sequence[Occurrence], day: date, debt: Debt) -> Iterator[PlanStep]:
    by_id = {rule.pk: rule for rule in active}
    for each in found:
        rule = by_id[each.rule_id]
        yield PlanStep(rule, state(each, day=day), each.anchor, each.day, each.message_id, each.reason)
    for rule in active:
        if rule.segment_id == debt.segment_id and all(each.rule_id != rule.pk for each in found):
            yield PlanStep(rule, State.WAITING)


def state(occurrence: Occurrence, *, day: date) -> State:
    """Return where a rule stands with a debt by one anchor on a day."""
    if occurrence.message_id:
        return State.DONE
    late = (day - occurrence.day).days
    if late < 0:
        return State.UPCOMING
    if occurrence.reason is None:
        return State.DUE
    if occurrence.reason in _OF_PAUSES and occurrence.after_pause != AfterPause.SKIP:
        return State.PAUSED
    return State.LEFT_OUT if late <= occurrence.max_lateness_days else State.MISSED
