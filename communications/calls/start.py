"""Begin a call: ask the contact gate again, because hours may have passed since the task was handed to the agents."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from agents.models import Agent
from communications.calls import records
from communications.models import CommunicationLog
from communications.outbox import may_go
from contact.decisions import Stage
from contact.engine.decision import Decision, Verdict
from ddc.common.errors import DomainError

#: For how long a begun call belongs to the agent who began it.
TAKEN_FOR = timedelta(minutes=30)


class CallTaken(DomainError):
    """One agent at a time calls a debtor."""

    message = "Another agent has begun this call. Choose another call."


def may_call(task: CommunicationLog, *, now: datetime) -> Decision:
    """Return the contact gate's decision without recording it."""
    (asked,) = may_go.gate_inputs([task], now=now)
    return asked.decide(now)


@transaction.atomic
def begin(task: CommunicationLog, *, by: Agent, now: datetime) -> Decision:
    """Ask the contact gate, record its decision, and record who makes the call if it is allowed.

    A denied call is withdrawn; a postponed one stays open.

    :raises NotACallTask: if the message is not a call script that was handed to the agents
    :raises CallFinished: if the call has an outcome already
    :raises CallTaken: if another agent has begun it
    """
    records.require_task(task)
    may_go.lock([task])
    open_task = records.open_tasks().filter(pk=task.pk)
    current = open_task.select_related("debtor", "debt__creditor", "template").first()
    if current is None:
        raise records.CallFinished
    decision = may_go.ask(current, stage=Stage.CALLING, now=now)
    if decision.verdict == Verdict.ALLOW:
        free = Q(begun_at__isnull=True) | Q(begun_by=by) | Q(begun_at__lte=now - TAKEN_FOR)
        if not open_task.filter(free).update(begun_at=now, begun_by=by, updated_at=now):
            raise CallTaken
    elif decision.verdict == Verdict.DENY:
        records.withdraw(open_task, decision.reason, now=now)
    return decision
