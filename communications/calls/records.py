"""Record calls: the outcome of a call task, a call without a task, and the outcome of an automated call."""

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from agents.models import Agent
from collection.models import Debt
from communications.models import ANSWERED_BY_PERSON, CallOutcome, CommunicationLog, MessageStatus
from ddc.common.errors import DomainError
from debtors import contact_points, phones
from debtors.channels import Channel
from debtors.models import Debtor, SuppressionReason

_NOTES_LENGTH = 1000

#: The outcomes that agents record. A debtor who calls us speaks with us or leaves a message.
RECORDED = tuple(outcome for outcome in CallOutcome if outcome != CallOutcome.NOT_CALLED)
_RECORDED_INBOUND = {CallOutcome.VOICEMAIL, *ANSWERED_BY_PERSON}

#: Outcomes that suppress the number.
_SUPPRESSIONS = {
    CallOutcome.WRONG_NUMBER: SuppressionReason.WRONG_NUMBER,
    CallOutcome.NO_CALLS: SuppressionReason.OPTED_OUT,
}


class CallFinished(DomainError):
    """The outcome of a call is recorded once."""

    message = "This call has an outcome already, or was withdrawn. Reload the page to see it."


class NotACallTask(DomainError):
    """Only a call script that was handed to the agents is a call to make."""

    message = "This message is not a call task."


class CallNotBegun(DomainError):
    """The contact gate is asked when a call begins, so no call is made without that."""

    message = "This call was not begun. Begin it first, or record that it was not made."


class CallInTheFuture(DomainError):
    """Only a call that was made is recorded."""

    status = 422
    code = "range"
    field = "at"
    message = "This time is in the future. Enter the time when the call was made."


class InvalidOutcome(DomainError):
    """An inbound call and an outbound call have different outcomes."""

    status = 422
    code = "enum"
    field = "outcome"
    message = "A call in this direction cannot have this outcome. A caller speaks with us or leaves a message."


class NumberRequired(DomainError):
    """An outcome that suppresses a number needs the number."""

    status = 422
    code = "required"
    field = "number"
    message = "Enter the number, so that it is not called again."


class DebtOfAnotherDebtor(DomainError):
    """A call is about the debtor's own debts."""

    status = 422
    code = "database.exists"
    field = "debt"
    message = "This debt belongs to another debtor. Choose one of the debtor's own."


@transaction.atomic
def finish(task: CommunicationLog, *, outcome: str, notes: str | None, by: Agent, now: datetime) -> CommunicationLog:
    """Record the outcome of a call task. A wrong number and an opt-out suppress the number.

    :raises NotACallTask: if the message is not a call script that was handed to the agents
    :raises CallFinished: if it has an outcome already
    :raises CallNotBegun: if it counts as made but was not begun
    """
    require_task(task)
    open_task = open_tasks().filter(pk=task.pk)
    made = open_task if outcome == CallOutcome.NOT_CALLED else open_task.filter(begun_at__isnull=False)
    if not made.update(updated_at=now, **_outcome_fields(outcome, notes, by=by, now=now)):
        raise CallNotBegun if open_task.exists() else CallFinished
    _suppress(task.address, outcome, by=by, now=now)
    task.refresh_from_db()
    return task


@transaction.atomic
def record_call(
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
    """Record a call without a task, made ``at`` that time or now. Without a ``debt`` it is about all debts of the debtor.

    A conversation starts the cooling-off period in either direction (12 CFR 1006.14(b)(2)(i)(B)), and an outbound call counts as
    an attempt. The contact gate is not asked, because the call was made.

    :raises DebtOfAnotherDebtor: if the debt belongs to another debtor
    :raises CallInTheFuture: if ``at`` is in the future
    :raises InvalidOutcome: if a call in this direction cannot have this outcome
    :raises InvalidPhone: if the number is not valid
    :raises NumberRequired: if the outcome suppresses the number and none is given
    """
    inbound = direction == CommunicationLog.Direction.INBOUND
    at = at or now
    if debt and debt.debtor_id != debtor.pk:
        raise DebtOfAnotherDebtor
    if at > now:
        raise CallInTheFuture
    if outcome not in (_RECORDED_INBOUND if inbound else RECORDED):
        raise InvalidOutcome
    number = (number or "").strip()
    address = phones.dialled(phones.normalise(number, debtor.country_code, field="number")) if number else None
    if outcome in _SUPPRESSIONS and not address:
        raise NumberRequired
    call = CommunicationLog.objects.create(
        debtor=debtor,
        debt=debt,
        communication_type=Channel.CALL_SCRIPT,
        direction=CommunicationLog.Direction(direction),
        status=MessageStatus.RECEIVED if inbound else MessageStatus.SENT,
        address=address,
        begun_at=at,
        begun_by=by,
        created_at=at,
        **_outcome_fields(outcome, notes, by=by, now=now),
        **({"read_at": now, "read_by": by} if inbound else {"sent_at": at}),
    )
    _suppress(address, outcome, by=by, now=now)
    return call


def record_outcome(call_id: uuid.UUID, outcome: str, *, notes: str | None, now: datetime) -> None:
    """Record the outcome of an automated call. A conversation replaces the outcome that the call was only answered."""
    call = CommunicationLog.objects.filter(pk=call_id, communication_type=Channel.VOICE)
    replaceable = Q(outcome=CallOutcome.ANSWERED) if outcome in ANSWERED_BY_PERSON else Q()
    call.filter(Q(outcome__isnull=True) | replaceable).update(
        updated_at=now, **_outcome_fields(outcome, notes, by=None, now=now)
    )


def withdraw(tasks: QuerySet[CommunicationLog], reason: str | None, *, now: datetime) -> int:
    """Withdraw open call tasks that must not be made; return how many."""
    fields = _outcome_fields(CallOutcome.NOT_CALLED, f"Withdrawn: {reason}", by=None, now=now)
    return tasks.update(updated_at=now, **fields)


def require_task(task: CommunicationLog) -> None:
    """Refuse a message that is not a call task.

    :raises NotACallTask: if it is not
    """
    if task.communication_type != Channel.CALL_SCRIPT or task.status != MessageStatus.SENT:
        raise NotACallTask


def open_tasks() -> QuerySet[CommunicationLog]:
    """Return the call tasks without an outcome."""
    return CommunicationLog.objects.filter(
        communication_type=Channel.CALL_SCRIPT, status=MessageStatus.SENT, outcome__isnull=True
    )


def _suppress(address: str | None, outcome: str, *, by: Agent, now: datetime) -> None:
    reason = _SUPPRESSIONS.get(CallOutcome(outcome))
    if reason and address:
        contact_points.suppress(address, channel=Channel.VOICE, reason=reason, source=f"Call with {by}", now=now)


def _outcome_fields(outcome: str, notes: str | None, *, by: Agent | None, now: datetime) -> dict[str, Any]:
    return {
        "outcome": CallOutcome(outcome),
        "outcome_at": now,
        "outcome_by": by,
        "outcome_notes": (notes or "")[:_NOTES_LENGTH] or None,
    }
