"""What becomes of a message: put off, blocked, sent, tried again, failed, in doubt; and what is heard of it later.

Each change of status is one UPDATE whose condition comes from the table of steps (``states``).
"""

import random
import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Coalesce

from communications import evidence, one_time_code, states, suppressions
from communications.channels.message import Outcome, Result
from communications.contact_gate import Decision, Verdict
from communications.models import DUE_STATUSES, Channel, CommunicationLog, MessageAttempt, MessageStatus
from communications.states import Cause, Event
from debtors.models import StopReason

#: When a message is tried again after a failure that may pass, at the latest; after the last of these it has failed.
BACKOFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4))
#: The same for what is worthless after some minutes, such as a one-time code.
QUICK_BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (4, 8, 15, 30, 60))

_CUT_SHORT = "The hand-over was cut short: the provider may have the message, or not."
_REASON_LENGTH, _ID_LENGTH = 500, 255
#: Who opens or clicks has the message, and that is all it says of the state.
_FACTS = {Event.OPENED: "opened_at", Event.CLICKED: "clicked_at", Event.COMPLAINED: "complained_at"}
_BAD = (MessageStatus.FAILED, MessageStatus.BOUNCED)


def put_off(message: CommunicationLog, decision: Decision, *, now: datetime) -> str | None:
    """Postpone or block a message that waits, as the contact gate decided; None if it waits no more."""
    if decision.verdict == Verdict.DENY:
        return close(message, MessageStatus.BLOCKED, decision.reason or "", now=now)
    put = {"due_at": decision.until, "failure_reason": decision.reason, "updated_at": now}
    return _move_as_seen(message, MessageStatus.POSTPONED, **put)


def close(message: CommunicationLog, status: MessageStatus, reason: str, *, now: datetime) -> str | None:
    """End a message that was not handed over; None if it has moved on since it was read."""
    return _move_as_seen(message, status, due_at=None, failure_reason=reason[:_REASON_LENGTH], updated_at=now)


def give_back(message: CommunicationLog, *, now: datetime) -> None:
    """Let go of a claimed message that was not begun."""
    _move_as_seen(message, MessageStatus.QUEUED, due_at=now, updated_at=now)


@transaction.atomic
def record(message: CommunicationLog, outcome: Outcome, *, began_at: datetime, now: datetime) -> str | None:
    """Write down what became of a hand-over; None where a callback was quicker, whose state stays.

    ``message`` is as it was handed over, with its earlier attempts.
    """
    words = _words(message, outcome)
    attempt = _attempt(message, outcome, words, began_at=began_at, now=now)
    status, due_at = _next(message, outcome, now=now)
    changes: dict[str, Any] = {
        "status": status,
        "due_at": due_at,
        "failure_reason": None if status == MessageStatus.SENT else words,
        "provider": attempt.provider,
        "provider_message_id": attempt.provider_message_id,
        "updated_at": now,
    }
    if status == MessageStatus.SENT:
        changes["sent_at"] = now
    sealed = evidence.seal(message, [*message.attempt_rows.all(), attempt])
    row = CommunicationLog.objects.filter(pk=message.pk)
    moved = row.filter(status=MessageStatus.SENDING).update(**changes, seal=sealed) or _record_late(attempt, changes)
    attempt.save(force_insert=True)
    if outcome.result == Result.OPTED_OUT:
        medium, source = suppressions.MEDIUM[Channel(message.communication_type)], words or outcome.provider
        suppressions.suppress(message.address or "", medium=medium, reason=StopReason.OPTED_OUT, source=source, now=now)
    return status if moved else None


def settle(log_id: uuid.UUID, event: Event, *, at: datetime, words: str | None = None) -> bool:
    """Take in what is heard of a message after it was handed over; True if its state moved.

    What came in before, late or in the wrong order moves nothing back. That somebody opened, clicked or complained is kept
    beside the state, whatever that is.
    """
    row = CommunicationLog.objects.filter(pk=log_id, direction=CommunicationLog.Direction.OUTBOUND)
    if fact := _FACTS.get(event):
        row.update(**{fact: Coalesce(fact, at)})
    status = states.STATE_OF[event]
    befores = set(states.before(status, Cause.PROVIDER))
    if event in (Event.OPENED, Event.CLICKED):
        befores -= {MessageStatus.SENDING, MessageStatus.SENT}
    changes: dict[str, Any] = {"status": status, "due_at": None, "updated_at": at}
    changes["failure_reason"] = (words or "")[:_REASON_LENGTH] or None if status in _BAD else None
    if status not in _BAD:
        changes["sent_at"] = Coalesce("sent_at", at)
    if status == MessageStatus.DELIVERED:
        changes["delivered_at"] = Coalesce("delivered_at", at)
    went = Q(attempts__gt=0) | ~Q(status__in=DUE_STATUSES)
    return bool(row.filter(went, status__in=befores).update(**changes))


def settle_stuck(*, now: datetime) -> int:
    """Mark what has been in the hand-over for too long as uncertain; return how many."""
    stuck = CommunicationLog.objects.filter(status=MessageStatus.SENDING, due_at__lte=now)
    return sum(_cut_short(pk, now=now) for pk in list(stuck.values_list("pk", flat=True)))


@transaction.atomic
def _cut_short(pk: uuid.UUID, *, now: datetime) -> bool:
    befores = states.before(MessageStatus.UNCERTAIN, Cause.CLOCK)
    due = CommunicationLog.objects.filter(pk=pk, status__in=befores, due_at__lte=now)
    message = due.select_for_update(of=("self",), skip_locked=True).first()
    if message is None:
        return False
    unknown = Outcome(Result.UNCERTAIN, message.provider or "unknown", words=_CUT_SHORT)
    attempt = _attempt(message, unknown, _CUT_SHORT, began_at=message.updated_at, now=now)
    CommunicationLog.objects.filter(pk=pk).update(
        status=MessageStatus.UNCERTAIN,
        due_at=None,
        updated_at=now,
        failure_reason=_CUT_SHORT,
        seal=evidence.seal(message, [*message.attempt_rows.all(), attempt]),
    )
    attempt.save(force_insert=True)
    return True


def _record_late(attempt: MessageAttempt, changes: dict[str, Any]) -> bool:
    """Record a hand-over whose message was moved on meanwhile: by a callback, or because it took too long."""
    message = CommunicationLog.objects.select_for_update(of=("self",)).get(pk=attempt.log_id)
    facts = {name: changes[name] for name in ("provider", "updated_at")}
    facts["provider_message_id"] = changes["provider_message_id"] or message.provider_message_id
    if "sent_at" in changes:
        facts["sent_at"] = changes["sent_at"]
    after = changes["status"]
    moves = after != MessageStatus.UNCERTAIN and states.may(message.status, after, Cause.WORKER)
    CommunicationLog.objects.filter(pk=message.pk).update(
        **(changes | facts if moves else facts), seal=evidence.seal(message, [*message.attempt_rows.all(), attempt])
    )
    return moves


def _next(message: CommunicationLog, outcome: Outcome, *, now: datetime) -> tuple[MessageStatus, datetime | None]:
    """Return what a hand-over leads to: a state, and when the message is due again if it is."""
    if outcome.result == Result.SENT:
        return MessageStatus.SENT, None
    if outcome.result == Result.UNCERTAIN:
        return MessageStatus.UNCERTAIN, None
    if outcome.result == Result.RETRY:
        backoff = QUICK_BACKOFF if message.expires_at else BACKOFF
        if message.attempts <= len(backoff):
            due_at = now + _jittered(backoff[message.attempts - 1])
            if message.expires_at is None or due_at < message.expires_at:
                return MessageStatus.QUEUED, due_at
    return MessageStatus.FAILED, None


def _jittered(pause: timedelta) -> timedelta:
    """Half of the pause for certain, and of the other half as much as chance has it, so that not all come back at once."""
    return pause / 2 + pause / 2 * random.random()  # noqa: S311


def _attempt(
    message: CommunicationLog, outcome: Outcome, words: str | None, *, began_at: datetime, now: datetime
) -> MessageAttempt:
    return MessageAttempt(
        log_id=message.pk,
        number=message.attempts,
        began_at=began_at,
        ended_at=now,
        provider=outcome.provider,
        result=outcome.result.value,
        provider_message_id=outcome.message_id[:_ID_LENGTH] if outcome.message_id else None,
        answer=words,
    )


def _move_as_seen(message: CommunicationLog, after: MessageStatus, **changes: Any) -> str | None:
    """Move a message on if nobody has touched it since it was read: a later claim has another ``due_at``."""
    seen = MessageStatus(message.status)
    if seen not in states.before(after, Cause.WORKER):
        return None
    row = CommunicationLog.objects.filter(pk=message.pk, status=seen, due_at=message.due_at)
    return after if row.update(status=after, **changes) else None


def _words(message: CommunicationLog, outcome: Outcome) -> str | None:
    """The provider's words, as PostgreSQL can keep them, and without a one-time code that they may repeat."""
    words = (outcome.words or "").replace("\x00", "").encode("utf-8", "replace").decode()
    if message.one_time_code_of:
        words = one_time_code.mask(words, message.one_time_code_of)
    return words[:_REASON_LENGTH] or None
