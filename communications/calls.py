"""Calls: what is spoken by machine, what agents are asked to call, and how it went."""

import uuid
from datetime import datetime
from typing import NamedTuple

from django.db import transaction

from agents.models import Agent
from collection.models import Debt
from communications.models import CallOutcome, Channel, CommunicationLog, CommunicationLogQuerySet, MessageStatus
from ddc.common.errors import DomainError
from debtors import contact_points
from debtors.models import Debtor, Medium, StopReason

_NOTES_LENGTH = 1000


class Meaning(NamedTuple):
    """What an outcome counts as.

    ``connected``: the line reached its number, if only to ring there (12 CFR 1006.14(b)(3)(iii) and its comment 1).
    ``conversation``: somebody spoke with us. ``with_debtor``: it was the debtor.
    """

    connected: bool
    conversation: bool
    with_debtor: bool


OUTCOMES: dict[str, Meaning] = {
    CallOutcome.NO_ANSWER: Meaning(connected=True, conversation=False, with_debtor=False),
    CallOutcome.BUSY: Meaning(connected=False, conversation=False, with_debtor=False),
    CallOutcome.NOT_IN_SERVICE: Meaning(connected=False, conversation=False, with_debtor=False),
    CallOutcome.VOICEMAIL: Meaning(connected=True, conversation=False, with_debtor=False),
    CallOutcome.ANSWERED: Meaning(connected=True, conversation=False, with_debtor=False),
    CallOutcome.WRONG_NUMBER: Meaning(connected=True, conversation=True, with_debtor=False),
    CallOutcome.THIRD_PARTY: Meaning(connected=True, conversation=True, with_debtor=False),
    CallOutcome.RIGHT_PARTY: Meaning(connected=True, conversation=True, with_debtor=True),
    CallOutcome.PROMISE: Meaning(connected=True, conversation=True, with_debtor=True),
    CallOutcome.REFUSED: Meaning(connected=True, conversation=True, with_debtor=True),
    CallOutcome.CALL_BACK: Meaning(connected=True, conversation=True, with_debtor=True),
    CallOutcome.NO_CALLS: Meaning(connected=True, conversation=True, with_debtor=True),
    CallOutcome.NOT_CALLED: Meaning(connected=False, conversation=False, with_debtor=False),
}


class CallIsOver(DomainError):
    """How a call went is said once."""

    message = "How this call went has been said already, or it was withdrawn."


class NoCall(DomainError):
    """Only what went to the agents is a call to be made."""

    message = "This is no call that an agent was asked to make."


@transaction.atomic
def finish(task: CommunicationLog, *, outcome: str, notes: str | None, by: Agent, now: datetime) -> CommunicationLog:
    """Note how a call went. A wrong number is neither called nor written to again; who wants no more calls gets none.

    :raises NoCall: if it is no call script that an agent has
    :raises CallIsOver: if somebody was first
    """
    require_task(task)
    said = open_tasks().filter(pk=task.pk)
    if not said.update(
        outcome=CallOutcome(outcome),
        outcome_at=now,
        outcome_by=by,
        outcome_notes=(notes or "")[:_NOTES_LENGTH] or None,
        updated_at=now,
    ):
        raise CallIsOver
    _draw_conclusions(task.address, outcome, who=f"{by} in a call", now=now)
    task.refresh_from_db()
    return task


@transaction.atomic
def note_talk(
    *, debtor: Debtor, debt: Debt | None, outcome: str, notes: str | None, by: Agent, now: datetime
) -> CommunicationLog:
    """Note a call that came in: a talk counts whoever began it."""
    log = CommunicationLog.objects.create(
        debtor=debtor,
        debt=debt,
        communication_type=Channel.VOICE,
        direction=CommunicationLog.Direction.INBOUND,
        status=MessageStatus.RECEIVED,
        address=debtor.mobile_phone,
        outcome=CallOutcome(outcome),
        outcome_at=now,
        outcome_by=by,
        outcome_notes=(notes or "")[:_NOTES_LENGTH] or None,
        read_at=now,
        read_by=by,
        created_at=now,
    )
    _draw_conclusions(debtor.mobile_phone, outcome, who=f"{by} in a call", now=now)
    return log


def withdraw(address: str, *, now: datetime) -> int:
    """Take back the calls to a number that were not made yet; return how many."""
    return (
        open_tasks()
        .filter(address=address)
        .update(
            outcome=CallOutcome.NOT_CALLED,
            outcome_at=now,
            outcome_notes="Withdrawn: this number must not be called any more.",
            updated_at=now,
        )
    )


def tell(log_id: uuid.UUID, outcome: str, *, words: str | None, now: datetime) -> None:
    """Note what the telephone company says of a call that a machine made."""
    CommunicationLog.objects.filter(pk=log_id, communication_type=Channel.VOICE, outcome__isnull=True).update(
        outcome=CallOutcome(outcome),
        outcome_at=now,
        outcome_notes=(words or "")[:_NOTES_LENGTH] or None,
        updated_at=now,
    )


def require_task(task: CommunicationLog) -> None:
    """Let nothing pass but a call that agents were asked to make.

    :raises NoCall: if it is none
    """
    if task.communication_type != Channel.CALL_SCRIPT or task.status != MessageStatus.SENT:
        raise NoCall


def open_tasks() -> CommunicationLogQuerySet:
    """Return the calls that are still to be made."""
    return CommunicationLog.objects.filter(
        communication_type=Channel.CALL_SCRIPT, status=MessageStatus.SENT, outcome__isnull=True
    )


def _draw_conclusions(address: str | None, outcome: str, *, who: str, now: datetime) -> None:
    reasons = {CallOutcome.WRONG_NUMBER: StopReason.WRONG_NUMBER, CallOutcome.NO_CALLS: StopReason.OPTED_OUT}
    reason = reasons.get(CallOutcome(outcome))
    if reason and address:
        contact_points.suppress(address, medium=Medium.VOICE, reason=reason, how=f"Told {who}"[:255], now=now)
