"""Give waiting messages the status that a restore found for them."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from communications.channels.message import Outcome, Result
from communications.models import CommunicationLog, DatabaseRestore, MessageAttempt, MessageStatus
from communications.outbox import states
from communications.outbox.states import Cause, Event
from communications.recovery.matching import Match
from communications.sending import dispatch, evidence, leases, outcomes
from contact import validation_notice

_IN_RECORDS = "Restored from a backup. The provider has this message in its records."
_REASON = "Restored from a backup of {:%Y-%m-%d %H:%M} UTC: it may have been sent until {:%Y-%m-%d %H:%M} UTC."
#: The columns of a message that was sent, as a worker would have written them.
_COLUMNS = (
    "status", "due_at", "failure_reason", "sent_at", "updated_at", "provider", "provider_message_id", "seal", "attempts",
    "address", "subject", "body", "html", "draft", "template", "template_version",
)  # fmt: skip
_BATCH = 500


def mark_sent(found: Sequence[tuple[CommunicationLog, Match]], *, now: datetime) -> None:
    """Record messages as sent at the time that the provider recorded, with their text, an attempt and a seal."""
    for start in range(0, len(found), _BATCH):
        _mark_sent(found[start : start + _BATCH], now=now)


def _mark_sent(found: Sequence[tuple[CommunicationLog, Match]], *, now: datetime) -> None:
    earlier = _attempts([message.pk for message, _ in found])
    attempts = []
    for message, match in found:
        attempts.append(_fill(message, match, earlier[message.pk], now=now))
    CommunicationLog.objects.bulk_update([message for message, _ in found], _COLUMNS)
    MessageAttempt.objects.bulk_create(attempts)
    for message, match in found:
        if match.record.event != Event.SENT:
            states.advance(message, match.record.event, now=now, reason_text=_IN_RECORDS)
        variant = match.source.variant if match.source else message.template
        if message.debt and variant and variant.is_validation_notice:
            validation_notice.record(message.debt, message_id=message.pk, sent_at=match.record.at)


def _fill(message: CommunicationLog, match: Match, earlier: list[MessageAttempt], *, now: datetime) -> MessageAttempt:
    """Set the row as it is after its hand-over, without saving it; return the unsaved attempt."""
    _check(message, MessageStatus.SENT)
    record = match.record
    if match.source:
        dispatch.fill(message, match.source)
    outcome = Outcome(Result.SENT, message.provider or "", record.provider_message_id, _IN_RECORDS)
    attempt = outcomes.attempt(message, outcome, began_at=record.at, now=record.at)
    message.status, message.due_at, message.failure_reason = MessageStatus.SENT, None, None
    message.sent_at, message.updated_at = record.at, now
    message.provider_message_id = attempt.provider_message_id
    message.seal = evidence.seal(message, [*earlier, attempt])
    return attempt


def mark_uncertain(messages: Sequence[CommunicationLog], restore: DatabaseRestore, *, now: datetime) -> None:
    """Leave messages to an agent. One that was being handed over gets an attempt, as if its worker had died."""
    reason = _REASON.format(restore.dump_taken_at, restore.stopped_at)
    waiting = []
    for message in messages:
        _check(message, MessageStatus.UNCERTAIN)
        if message.status == MessageStatus.SENDING:
            leases.end_without_outcome(message, reason, now=now)
        else:
            waiting.append(message.pk)
    CommunicationLog.objects.filter(pk__any_of=waiting).update(
        status=MessageStatus.UNCERTAIN, due_at=None, failure_reason=reason, updated_at=now
    )


def keep_waiting(messages: Sequence[CommunicationLog], *, now: datetime) -> None:
    """Release claims, and let one-time codes expire, because the sign-ins of the dump are over."""
    leases.release((message for message in messages if message.status == MessageStatus.CLAIMED), now=now)
    codes = [message.pk for message in messages if message.one_time_code_of]
    CommunicationLog.objects.filter(pk__any_of=codes, expires_at__gt=now).update(expires_at=now, updated_at=now)


def _check(message: CommunicationLog, after: MessageStatus) -> None:
    if message.status not in states.before(after, Cause.RESTORE):
        raise ValueError(f"No restore leads from {message.status} to {after}.")


def _attempts(ids: Sequence[UUID]) -> dict[UUID, list[MessageAttempt]]:
    found: dict[UUID, list[MessageAttempt]] = defaultdict(list)
    for attempt in MessageAttempt.objects.filter(message_id__any_of=ids):
        found[attempt.message_id].append(attempt)
    return found
