"""What becomes of a message: put off, blocked, sent, tried again, failed, or in doubt."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from communications import one_time_code, suppressions
from communications.channels.message import Outcome, Result
from communications.contact_gate import Decision, Verdict
from communications.models import Channel, CommunicationLog, CommunicationLogQuerySet, MessageStatus
from debtors.models import StopReason

#: When a message is tried again after a failure that may pass; after the last of these it has failed.
BACKOFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4))

_REASON_LENGTH, _ID_LENGTH = 500, 255
_UNDECIDED = (MessageStatus.SENDING, MessageStatus.UNCERTAIN)


def put_off(message: CommunicationLog, decision: Decision, *, now: datetime) -> str | None:
    """Postpone or block a message that waits, as the contact gate decided; None if it waits no more."""
    if decision.verdict == Verdict.BLOCK:
        return close(message, MessageStatus.BLOCKED, decision.reason or "", now=now)
    put = {"status": MessageStatus.POSTPONED, "due_at": decision.until, "failure_reason": None, "updated_at": now}
    return MessageStatus.POSTPONED if _as_seen(message).update(**put) else None


def close(message: CommunicationLog, status: MessageStatus, reason: str, *, now: datetime) -> str | None:
    """End a message that was not handed over; None if it has moved on since it was read."""
    end = {"status": status, "due_at": None, "failure_reason": reason[:_REASON_LENGTH], "updated_at": now}
    return status if _as_seen(message).update(**end) else None


@transaction.atomic
def record(message: CommunicationLog, outcome: Outcome, *, address: str, now: datetime) -> str | None:
    """Write down what became of a hand-over; None where a callback was quicker, whose state stays.

    ``message`` is the row as it was before the hand-over: what is tried again gets its text back, to be written anew with
    the facts of then.
    """
    words = _words(message, outcome)
    changes: dict[str, Any] = {
        "provider": outcome.provider,
        "provider_message_id": outcome.message_id[:_ID_LENGTH] if outcome.message_id else None,
        "updated_at": now,
    }
    row = CommunicationLog.objects.filter(pk=message.pk)
    if outcome.result == Result.SENT:
        row.update(**changes, sent_at=now)
        sent = row.filter(status__in=_UNDECIDED).update(status=MessageStatus.SENT, due_at=None, failure_reason=None)
        return MessageStatus.SENT if sent else None
    status, due_at = MessageStatus.FAILED, None
    if outcome.result == Result.UNCERTAIN:
        status = MessageStatus.UNCERTAIN
    elif outcome.result == Result.RETRY and message.attempts < len(BACKOFF):
        status, due_at = MessageStatus.QUEUED, now + BACKOFF[message.attempts]
        changes |= {name: getattr(message, name) for name in ("subject", "body", "html", "template")}
    elif outcome.result == Result.OPTED_OUT:
        medium = suppressions.MEDIUM[Channel(message.communication_type)]
        suppressions.suppress(
            address, medium=medium, reason=StopReason.OPTED_OUT, source=words or outcome.provider, now=now
        )
    changes |= {"status": status, "due_at": due_at, "failure_reason": words}
    return status if row.filter(status__in=_UNDECIDED).update(**changes) else None


def settle_stuck(*, now: datetime) -> int:
    """Mark what has been in the hand-over for too long as uncertain; return how many."""
    stuck = CommunicationLog.objects.filter(status=MessageStatus.SENDING, due_at__lte=now)
    return stuck.update(
        status=MessageStatus.UNCERTAIN,
        due_at=None,
        updated_at=now,
        failure_reason="The hand-over was cut short: the provider may have the message, or not.",
    )


def _as_seen(message: CommunicationLog) -> CommunicationLogQuerySet:
    """The row, if nobody has touched it since: a later claim has another ``due_at``."""
    return CommunicationLog.objects.filter(pk=message.pk, status=message.status, due_at=message.due_at)


def _words(message: CommunicationLog, outcome: Outcome) -> str | None:
    """The provider's words, as PostgreSQL can keep them, and without a one-time code that they may repeat."""
    words = (outcome.words or "").replace("\x00", "").encode("utf-8", "replace").decode()
    if message.one_time_code_of:
        words = words.replace(one_time_code.derive(message.one_time_code_of), one_time_code.MASK)
    return words[:_REASON_LENGTH] or None
