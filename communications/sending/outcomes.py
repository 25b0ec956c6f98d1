"""Record how a hand-over ended: its attempt, the message's new status, and when a failed message is tried again."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from communications.channels.message import Outcome, Result
from communications.models import CommunicationLog, MessageAttempt, MessageStatus
from communications.outbox import may_go, states
from communications.outbox.states import Cause
from communications.sending import evidence
from communications.texts import one_time_code
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import SuppressionReason

#: The longest pauses after failures that may pass; after the last one the message has failed.
BACKOFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4))
#: The same for urgent messages, such as one-time codes.
QUICK_BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (4, 8, 15, 30, 60))

_REASON_LENGTH, _ID_LENGTH = 500, 255
_ATTEMPT_FIELDS = ("number", "began_at", "ended_at", "provider", "result", "provider_message_id", "answer")
# One statement, without waiting for the disk: a crash of the server that loses it leaves the message uncertain. Adding '' to the
# status keeps PostgreSQL on the primary key; the partial indexes by status have many dead entries while messages are sent.
_RECORD = f"""
WITH recorded AS (
    UPDATE communication_log SET
        status = %(status)s, due_at = %(due_at)s, failure_reason = %(failure_reason)s, seal = %(seal)s,
        provider = %(provider)s, provider_message_id = %(provider_message_id)s,
        sent_at = coalesce(%(sent_at)s, sent_at), updated_at = %(ended_at)s
    WHERE id = %(message_id)s AND status || '' = 'sending' RETURNING id
)
INSERT INTO message_attempt (message_id, {", ".join(_ATTEMPT_FIELDS)})
SELECT id, {", ".join(f"%({name})s" for name in _ATTEMPT_FIELDS)} FROM recorded
RETURNING set_config('synchronous_commit', 'off', true)
"""  # noqa: S608 - the names are constants


def record(
    message: CommunicationLog, outcome: Outcome, *, earlier: Sequence[MessageAttempt], began_at: datetime, now: datetime
) -> MessageStatus | None:
    """Record the outcome of a hand-over after ``earlier`` attempts; return the message's new status.

    None if an event was faster than the provider's answer: then the status stays as the event left it.
    """
    ended = attempt(message, outcome, began_at=began_at, now=now)
    status, due_at = _next_status(message, outcome, now=now)
    if outcome.result == Result.OPTED_OUT:
        _suppress(message, ended, SuppressionReason.OPTED_OUT)
    elif outcome.is_dead_number and message.communication_type == Channel.SMS:
        _suppress(message, ended, SuppressionReason.BOUNCED)
    was_sent = status == MessageStatus.SENT
    parameters = {
        "message_id": message.pk,
        "status": status.value,
        "due_at": due_at,
        "failure_reason": None if was_sent else ended.answer,
        "sent_at": now if was_sent else None,
        "seal": evidence.seal(message, [*earlier, ended]),
        **{name: getattr(ended, name) for name in _ATTEMPT_FIELDS},
    }
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, parameters)
        if cursor.fetchone():
            return status
    return _record_late(ended, status, due_at)


def attempt(message: CommunicationLog, outcome: Outcome, *, began_at: datetime, now: datetime) -> MessageAttempt:
    """Return the unsaved attempt of a hand-over."""
    return MessageAttempt(
        message_id=message.pk,
        number=message.attempts,
        began_at=began_at,
        ended_at=now,
        provider=outcome.provider,
        result=outcome.result.value,
        provider_message_id=outcome.provider_message_id[:_ID_LENGTH] if outcome.provider_message_id else None,
        answer=_answer(message, outcome),
    )


@transaction.atomic
def _record_late(ended: MessageAttempt, status: MessageStatus, due_at: datetime | None) -> MessageStatus | None:
    """Record the outcome of a message that an event or the end of its lease has moved on; None if its status stays."""
    message = CommunicationLog.objects.select_for_update(of=("self",)).get(pk=ended.message_id)
    changes: dict[str, Any] = {
        "provider": ended.provider,
        "provider_message_id": ended.provider_message_id or message.provider_message_id,
        "updated_at": ended.ended_at,
        "seal": evidence.seal(message, [*message.attempt_rows.all(), ended]),
    }
    if status == MessageStatus.SENT:
        changes["sent_at"] = ended.ended_at
    is_step = status != MessageStatus.UNCERTAIN and message.status in states.before(status, Cause.WORKER)
    if is_step:
        failure_reason = None if status == MessageStatus.SENT else ended.answer
        changes |= {"status": status, "due_at": due_at, "failure_reason": failure_reason}
    CommunicationLog.objects.filter(pk=message.pk).update(**changes)
    ended.save(force_insert=True)
    return status if is_step else None


def _next_status(
    message: CommunicationLog, outcome: Outcome, *, now: datetime
) -> tuple[MessageStatus, datetime | None]:
    """Return the status after a hand-over, and when a queued message is due again."""
    if outcome.result == Result.SENT:
        return MessageStatus.SENT, None
    if outcome.result == Result.UNCERTAIN:
        return MessageStatus.UNCERTAIN, None
    if outcome.result == Result.RETRY:
        # The gate ends another message that is too late by its next attempt.
        last_at = message.expires_at if may_go.is_urgent(message) else None
        backoff = QUICK_BACKOFF if last_at else BACKOFF
        if message.attempts <= len(backoff):
            due_at = now + _with_jitter(backoff[message.attempts - 1])
            if last_at is None or due_at < last_at:
                return MessageStatus.QUEUED, due_at
    return MessageStatus.FAILED, None


def _with_jitter(pause: timedelta) -> timedelta:
    """Return between half of the pause and all of it, so that messages that failed together do not return together."""
    return pause / 2 + pause / 2 * random.random()  # noqa: S311


def _answer(message: CommunicationLog, outcome: Outcome) -> str | None:
    """Return the provider's answer as PostgreSQL can store it, with a one-time code in it masked."""
    answer = (outcome.reason_text or "").replace("\x00", "").encode("utf-8", "replace").decode()
    if message.one_time_code_of:
        answer = one_time_code.mask(answer, message.one_time_code_of)
    return answer[:_REASON_LENGTH] or None


def _suppress(message: CommunicationLog, ended: MessageAttempt, reason: SuppressionReason) -> None:
    contact_points.suppress(
        message.address or "",
        channel=Channel(message.communication_type),
        reason=reason,
        source=ended.answer or ended.provider,
        now=ended.ended_at,
    )
