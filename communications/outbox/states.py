"""The states of a message: which leads to which, by what cause.

Workers change a status by one UPDATE with a condition from ``before``. All that is reported about a message later goes
through ``advance``, and what people take back through ``withdraw``. All of them read the same steps, and so does the table in
``docs/messages.md``.
"""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce

from communications.models import DUE_STATUSES, UNFINISHED_STATUSES, CommunicationLog, MessageStatus, PendingDispatch

_S = MessageStatus
_REASON_LENGTH = 500


class Cause(StrEnum):
    """What changes the status of a message."""

    WORKER = "worker"
    CLOCK = "clock"
    EVENT = "event"
    RESTORE = "restore"
    WITHDRAWAL = "withdrawal"


class Event(StrEnum):
    """What providers, readers and agents report about a message after it was handed over."""

    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    OPENED = "opened"
    CLICKED = "clicked"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    #: An agent found out that it was sent.
    CONFIRMED = "confirmed"
    #: An agent sends another message in its place.
    REPLACED = "replaced"


#: A reader who opens, clicks, complains or unsubscribes has the message.
PROOFS_OF_DELIVERY = (Event.DELIVERED, Event.OPENED, Event.CLICKED, Event.COMPLAINED, Event.UNSUBSCRIBED)


@dataclass(frozen=True)
class Step:
    before: MessageStatus
    after: MessageStatus
    cause: Cause
    when: str
    events: tuple[Event, ...] = ()


def _worker(before: MessageStatus, after: MessageStatus, when: str) -> Step:
    return Step(before, after, Cause.WORKER, when)


def _event(before: MessageStatus, after: MessageStatus, when: str, *events: Event) -> Step:
    return Step(before, after, Cause.EVENT, when, events)


def _restore(before: MessageStatus, after: MessageStatus, when: str) -> Step:
    return Step(before, after, Cause.RESTORE, when)


_RETRY = "An earlier attempt, which seemed to have failed for now, did go through: it is not tried again."
_TAKEN_BACK = "It was withdrawn before its hand-over: by a supervisor, or because its strategy rule was switched off."
_EARLY = "The event was faster than the provider's answer, or came in its place."
STEPS = (
    _worker(_S.QUEUED, _S.CLAIMED, "It is due, and a worker claims it for the time of a lease."),
    _worker(_S.POSTPONED, _S.CLAIMED, "The time to which it was postponed has come."),
    _worker(_S.CLAIMED, _S.CLAIMED, "The lease of the claim is over, and another worker claims it."),
    _worker(_S.CLAIMED, _S.QUEUED, "The claim is released: the worker's time is over, or the provider is down."),
    _worker(_S.QUEUED, _S.POSTPONED, "The contact gate, asked at queueing, allows it only later."),
    _worker(_S.CLAIMED, _S.POSTPONED, "The contact gate, asked at sending, allows it only later."),
    _worker(_S.QUEUED, _S.BLOCKED, "The contact gate, asked at queueing, denies it."),
    _worker(_S.CLAIMED, _S.BLOCKED, "The contact gate, asked at sending, denies it."),
    _worker(_S.QUEUED, _S.FAILED, "Its text, written when it was asked for, lacks a value or is too long."),
    _worker(
        _S.CLAIMED, _S.FAILED, "It has expired, its template has no active variant, or its text cannot be written."
    ),
    _worker(_S.CLAIMED, _S.SENDING, "Committed for up to twenty messages, before the first of them is handed over."),
    _worker(_S.SENDING, _S.SENT, "The provider accepted it."),
    _worker(_S.SENDING, _S.QUEUED, "The provider refused it for now, or it was not handed over in this run."),
    _worker(_S.SENDING, _S.FAILED, "The provider refused it for good, or too often for now."),
    _worker(_S.SENDING, _S.UNCERTAIN, "The connection broke when the provider may have had it."),
    Step(_S.SENDING, _S.QUEUED, Cause.CLOCK, "Its worker died, and it was provably not handed over."),
    Step(_S.SENDING, _S.UNCERTAIN, Cause.CLOCK, "Its lease is over: its worker died during the hand-over."),
    _worker(_S.UNCERTAIN, _S.SENT, "The hand-over ended after its lease: the provider accepted it."),
    _worker(_S.UNCERTAIN, _S.FAILED, "The hand-over ended after its lease: the provider refused it for good."),
    _worker(_S.UNCERTAIN, _S.QUEUED, "The hand-over ended after its lease: the provider refused it for now."),
    *(
        step
        for unsure in UNFINISHED_STATUSES
        for step in (
            _restore(unsure, _S.SENT, "The database was restored from a backup, and the provider has the message."),
            _restore(unsure, _S.UNCERTAIN, "The database was restored from a backup, and it may have gone since."),
        )
    ),
    _restore(_S.CLAIMED, _S.QUEUED, "The database was restored from a backup, and the provider does not have it."),
    _event(_S.UNCERTAIN, _S.SENT, "An agent found out that it was sent.", Event.CONFIRMED),
    _event(_S.UNCERTAIN, _S.FAILED, "An agent sends another message in its place.", Event.REPLACED),
    *(Step(waiting, _S.BLOCKED, Cause.WITHDRAWAL, _TAKEN_BACK) for waiting in DUE_STATUSES),
    *(
        step
        for waiting in DUE_STATUSES
        for step in (
            _event(waiting, _S.SENT, _RETRY, Event.SENT),
            _event(waiting, _S.DELIVERED, _RETRY, *PROOFS_OF_DELIVERY),
            _event(waiting, _S.BOUNCED, _RETRY, Event.BOUNCED),
        )
    ),
    *(
        step
        for undecided in (_S.SENDING, _S.UNCERTAIN)
        for step in (
            _event(undecided, _S.SENT, _EARLY, Event.SENT),
            _event(undecided, _S.DELIVERED, _EARLY, *PROOFS_OF_DELIVERY),
            _event(undecided, _S.BOUNCED, _EARLY, Event.BOUNCED),
            _event(undecided, _S.FAILED, _EARLY, Event.FAILED),
        )
    ),
    _event(_S.SENT, _S.DELIVERED, "It arrived.", *PROOFS_OF_DELIVERY),
    _event(_S.SENT, _S.BOUNCED, "There is no such address.", Event.BOUNCED),
    _event(_S.SENT, _S.FAILED, "The provider could not deliver it.", Event.FAILED),
    _event(_S.DELIVERED, _S.BOUNCED, "The next server accepted it at first and returned it later.", Event.BOUNCED),
)
_AFTER_EVENT = {(step.before, event): step.after for step in STEPS for event in step.events}
#: The statuses in which nothing more is expected to happen.
_FINAL = (_S.SENT, _S.DELIVERED, _S.BOUNCED, _S.FAILED, _S.BLOCKED, _S.RECEIVED)
_REPORTED_AT = {Event.CLICKED: "clicked_at", Event.COMPLAINED: "complained_at"}


class Advance(StrEnum):
    """What an event did to a message."""

    MOVED = "moved"
    UNCHANGED = "unchanged"
    NEVER_HANDED_OVER = "never_handed_over"


def before(after: MessageStatus, cause: Cause) -> tuple[MessageStatus, ...]:
    """Return the statuses from which this cause may lead to ``after``: the condition of its UPDATE."""
    found = tuple(dict.fromkeys(step.before for step in STEPS if step.after == after and step.cause == cause))
    if not found:
        raise ValueError(f"No step leads to {after} by the {cause}.")
    return found


@transaction.atomic
def advance(message: CommunicationLog, event: Event, *, now: datetime, reason_text: str | None = None) -> Advance:
    """Apply an event to a message. Whatever order events arrive in, a status moves forward or stays.

    An event about a message that was never handed over changes nothing; the caller has an agent look at it.
    """
    current = CommunicationLog.objects.select_for_update(no_key=True).only("status", "attempts").get(pk=message.pk)
    if not _was_handed_over(current):
        return Advance.NEVER_HANDED_OVER
    changes: dict[str, Any] = {}
    if field := _REPORTED_AT.get(event):
        changes[field] = Coalesce(field, now)
    after = _AFTER_EVENT.get((MessageStatus(current.status), event))
    if after:
        sent_at = F("updated_at") if event == Event.CONFIRMED else now
        changes |= _on_entering(after, now=now, sent_at=sent_at, reason_text=reason_text)
    if changes:
        CommunicationLog.objects.filter(pk=message.pk).update(**changes, updated_at=now)
    return Advance.MOVED if after else Advance.UNCHANGED


def withdraw(ids: Collection[uuid.UUID], *, reason_text: str, now: datetime) -> int:
    """Block messages that people take back, in one statement; return how many still waited."""
    waiting = CommunicationLog.objects.filter(
        pk__any_of=ids, status__in=before(MessageStatus.BLOCKED, Cause.WITHDRAWAL)
    )
    changes = _on_entering(MessageStatus.BLOCKED, now=now, sent_at=now, reason_text=reason_text)
    return waiting.update(**changes, updated_at=now)


def _was_handed_over(message: CommunicationLog) -> bool:
    match message.status:
        case _S.QUEUED | _S.POSTPONED | _S.CLAIMED | _S.FAILED:
            return message.attempts > 0
        case _S.SENDING:
            return message.attempts > 1 or not PendingDispatch.objects.filter(pk=message.pk).exists()
        case status:
            return status != _S.BLOCKED


def _on_entering(
    status: MessageStatus, *, now: datetime, sent_at: datetime | F, reason_text: str | None
) -> dict[str, Any]:
    changes: dict[str, Any] = {"status": status, "due_at": None, "failure_reason": None}
    if status in (_S.FAILED, _S.BOUNCED, _S.BLOCKED):
        return changes | {"failure_reason": (reason_text or "")[:_REASON_LENGTH] or None}
    if status == _S.DELIVERED:
        changes["delivered_at"] = Coalesce("delivered_at", now)
    return changes | {"sent_at": Coalesce("sent_at", sent_at)}


def table() -> str:
    """Write the steps as a table in Markdown."""
    lines = ["| from | to | by | when |", "| --- | --- | --- | --- |"]
    lines += [f"| `{step.before}` | `{step.after}` | {_by(step)} | {step.when} |" for step in STEPS]
    ends = ", ".join(f"`{status}`" for status in _FINAL)
    return "\n".join([*lines, "", f"A message ends in one of {ends}; an inbound message is always `received`."])


def _by(step: Step) -> str:
    return f"{step.cause}: {', '.join(step.events)}" if step.events else step.cause
