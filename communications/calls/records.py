"""Calls: what is spoken by machine, what agents are asked to call, what came in, and how each went."""

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q

from agents.models import Agent
from collection.models import Debt
from communications.models import OUTCOMES, CallOutcome, CommunicationLog, CommunicationLogQuerySet, MessageStatus
from ddc.common.errors import DomainError
from debtors import contact_points, phones
from debtors.channels import Channel
from debtors.models import Debtor, SuppressionReason

_NOTES_LENGTH = 1000


#: What agents note of a call. Whoever calls us speaks with us, or leaves a message.
NOTED = tuple(outcome for outcome in CallOutcome if outcome != CallOutcome.NOT_CALLED)
_NOTED_INBOUND = {CallOutcome.VOICEMAIL, *(outcome for outcome in NOTED if OUTCOMES[outcome].conversation)}

#: Outcomes that end the use of the number.
_ENDS_USE = {
    CallOutcome.WRONG_NUMBER: SuppressionReason.WRONG_NUMBER,
    CallOutcome.NO_CALLS: SuppressionReason.OPTED_OUT,
}


class CallIsOver(DomainError):
    """How a call went is said once."""

    message = "How this call went has been said already, or it was withdrawn."


class NoCall(DomainError):
    """Only what went to the agents is a call to be made."""

    message = "This is no call that an agent was asked to make."


class NotBegun(DomainError):
    """The contact rules are asked as a call begins, so none is made without that."""

    message = "This call was not begun. Begin it first, or say that it was not made."


class NotYetMade(DomainError):
    """Only what has been is noted."""

    status = 422
    code = "range"
    field = "at"
    message = "This lies ahead."


class NobodySpoke(DomainError):
    """A call ends in a way that such a call can."""

    status = 422
    code = "enum"
    field = "outcome"
    message = "Such a call can't have ended like this: who calls us speaks with us, or leaves a message."


class WhichNumber(DomainError):
    """What ends the use of a number names it."""

    status = 422
    code = "required"
    field = "number"
    message = "Say which number that is, so that it is not called any more."


class DebtOfAnotherDebtor(DomainError):
    """A call to or from a debtor is about their own debts."""

    status = 422
    code = "database.exists"
    field = "debt"
    message = "This is no debt of theirs."


@transaction.atomic
def finish(task: CommunicationLog, *, outcome: str, notes: str | None, by: Agent, now: datetime) -> CommunicationLog:
    """Note how a call went. A wrong number is neither called nor written to again; who wants no more calls gets none.

    :raises NoCall: if it is no call script that an agent has
    :raises CallIsOver: if somebody was first
    :raises NotBegun: if nobody began it, and it is said to be made
    """
    require_task(task)
    waiting = open_tasks().filter(pk=task.pk)
    made = waiting if outcome == CallOutcome.NOT_CALLED else waiting.filter(begun_at__isnull=False)
    if not made.update(updated_at=now, **_said(outcome, notes, by=by, now=now)):
        raise NotBegun if waiting.exists() else CallIsOver
    _draw_conclusions(task.address, outcome, by=by, now=now)
    task.refresh_from_db()
    return task


@transaction.atomic
def note(
    debtor: Debtor,
    *,
    direction: str,
    outcome: str,
    number: str | None = None,
    debt: Debt | None = None,
    notes: str | None = None,
    at: datetime | None = None,
    by: Agent,
    now: datetime,
) -> CommunicationLog:
    """Note a call that no task asked for, made ``at`` that moment or just now. About no ``debt`` is about all of theirs.

    It counts from when it was made: a talk starts the time without calls, whoever began it (12 CFR 1006.14(b)(2)(i)(B)); one that
    we made is an attempt besides. The gate isn't asked, for what has been is a fact.

    :raises DebtOfAnotherDebtor: if the debt is somebody else's
    :raises NotYetMade: if ``at`` lies ahead
    :raises NobodySpoke: if no such call ends like that
    :raises InvalidPhone: if the number is not valid
    :raises WhichNumber: if the outcome ends the use of a number that isn't told
    """
    inbound = direction == CommunicationLog.Direction.INBOUND
    at = at or now
    if debt and debt.debtor_id != debtor.pk:
        raise DebtOfAnotherDebtor
    if at > now:
        raise NotYetMade
    if outcome not in (_NOTED_INBOUND if inbound else NOTED):
        raise NobodySpoke
    address = _as_kept(number, debtor)
    if outcome in _ENDS_USE and not address:
        raise WhichNumber
    log = CommunicationLog.objects.create(
        debtor=debtor,
        debt=debt,
        communication_type=Channel.CALL_SCRIPT,
        direction=CommunicationLog.Direction(direction),
        status=MessageStatus.RECEIVED if inbound else MessageStatus.SENT,
        address=address,
        begun_at=at,
        begun_by=by,
        created_at=at,
        **_said(outcome, notes, by=by, now=now),
        **({"read_at": now, "read_by": by} if inbound else {"sent_at": at}),
    )
    _draw_conclusions(address, outcome, by=by, now=now)
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
    """Note what is heard of a call that a machine made. Who spoke up tells more than that somebody answered."""
    call = CommunicationLog.objects.filter(pk=log_id, communication_type=Channel.VOICE)
    vague = Q(outcome=CallOutcome.ANSWERED) if OUTCOMES[outcome].conversation else Q()
    call.filter(Q(outcome__isnull=True) | vague).update(updated_at=now, **_said(outcome, words, by=None, now=now))


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


def _draw_conclusions(address: str | None, outcome: str, *, by: Agent, now: datetime) -> None:
    reason = _ENDS_USE.get(CallOutcome(outcome))
    if reason and address:
        source = f"Call with {by}"
        contact_points.suppress(address, channel=Channel.VOICE, reason=reason, source=source, now=now)


def _said(outcome: str, notes: str | None, *, by: Agent | None, now: datetime) -> dict[str, Any]:
    return {
        "outcome": CallOutcome(outcome),
        "outcome_at": now,
        "outcome_by": by,
        "outcome_notes": (notes or "")[:_NOTES_LENGTH] or None,
    }


def _as_kept(number: str | None, debtor: Debtor) -> str | None:
    if not (number and number.strip()):
        return None
    return phones.normalise(number.strip(), debtor.country_code, field="number")
