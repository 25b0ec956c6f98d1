"""An agent begins a call: the contact gate is asked once more, for hours may have gone by since it was put before agents."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from agents.models import Agent
from communications.calls import records
from communications.models import CallOutcome, CommunicationLog
from communications.outbox import may_go
from contact.decisions import Stage
from contact.engine.decision import Decision, Verdict
from ddc.common.errors import DomainError

#: For so long whoever began a call has it.
TAKEN_FOR = timedelta(minutes=30)
_NOTES_LENGTH = 1000


class SomebodyCalls(DomainError):
    """A debtor is called by one agent at a time."""

    message = "Somebody else has begun this call."


def may_call(task: CommunicationLog, *, now: datetime) -> Decision:
    """Tell what the gate would say at this moment, and keep nothing."""
    (asked,) = may_go.gate_inputs([task], now=now)
    return asked.decide(now)


@transaction.atomic
def begin(task: CommunicationLog, *, by: Agent, now: datetime) -> Decision:
    """Ask the gate whether the call may be made at this moment; if so, note who makes it.

    What it says is kept, whatever that is. A call that it denies for good is taken back; one that is not yet due stays.

    :raises NoCall: if it is no call script that an agent has
    :raises CallIsOver: if it was made, or taken back
    :raises SomebodyCalls: if another agent began it a moment ago
    """
    records.require_task(task)
    may_go.lock([task])
    waiting = records.open_tasks().filter(pk=task.pk)
    fresh = waiting.select_related("debtor", "debt__creditor", "template").first()
    if fresh is None:
        raise records.CallIsOver
    decision = may_go.ask(fresh, stage=Stage.CALLING, now=now)
    if decision.verdict == Verdict.ALLOW:
        free = Q(begun_at__isnull=True) | Q(begun_by=by) | Q(begun_at__lte=now - TAKEN_FOR)
        if not waiting.filter(free).update(begun_at=now, begun_by=by, updated_at=now):
            raise SomebodyCalls
    elif decision.verdict == Verdict.DENY:
        waiting.update(
            outcome=CallOutcome.NOT_CALLED,
            outcome_at=now,
            outcome_notes=f"Taken back: {decision.reason}"[:_NOTES_LENGTH],
            updated_at=now,
        )
    return decision
