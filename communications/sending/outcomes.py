"""What becomes of a message by its hand-over: put off, blocked, sent, tried again, failed, in doubt.

Each change of status is one UPDATE whose condition comes from the table of steps (``states``).
"""

import random
import uuid
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from communications.channels.message import Outcome, Result
from communications.models import CommunicationLog, MessageAttempt, MessageStatus
from communications.outbox import states
from communications.outbox.states import Cause
from communications.sending import evidence
from communications.texts import one_time_code
from contact.engine.decision import Decision, Verdict
from debtors import contact_points
from debtors.channels import Channel
from debtors.models import SuppressionReason

#: When a message is tried again after a failure that may pass, at the latest; after the last of these it has failed.
BACKOFF = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4))
#: The same for what is worthless after some minutes, such as a one-time code.
QUICK_BACKOFF = tuple(timedelta(seconds=seconds) for seconds in (4, 8, 15, 30, 60))

_CUT_SHORT = "The hand-over was cut short: the provider may have the message, or not."
_REASON_LENGTH, _ID_LENGTH = 500, 255
_PUT_OFF = {Verdict.DENY: MessageStatus.BLOCKED, Verdict.POSTPONE: MessageStatus.POSTPONED}
_PUT_OFF_ALL = """
UPDATE communication_log AS log
SET status = put.status, due_at = put.due_at, failure_reason = put.reason, updated_at = %s
FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::text[]) AS put (id, status, due_at, reason)
WHERE log.id = put.id AND log.status = 'claimed'
"""


def put_off_all(decided: Sequence[tuple[CommunicationLog, Decision]], *, now: datetime) -> Counter[str]:
    """Postpone or block messages that this very transaction has claimed; return how many of each."""
    rows = [
        (message.pk, _PUT_OFF[decision.verdict], decision.until, (decision.reason or "")[:_REASON_LENGTH])
        for message, decision in decided
    ]
    if rows:
        ids, statuses, moments, reasons = (list(column) for column in zip(*rows, strict=True))
        with connection.cursor() as cursor:
            cursor.execute(_PUT_OFF_ALL, [now, ids, statuses, moments, reasons])
    return Counter(status for _, status, _, _ in rows)


def put_off(message: CommunicationLog, decision: Decision, *, now: datetime) -> str | None:
    """Postpone or block a message that waits, as the contact gate decided; None if it waits no more."""
    if decision.verdict == Verdict.DENY:
        return close(message, MessageStatus.BLOCKED, decision.reason or "", now=now)
    put = {"due_at": decision.until, "failure_reason": decision.reason, "updated_at": now}
    return _move_as_seen(message, MessageStatus.POSTPONED, **put)


def close(message: CommunicationLog, status: MessageStatus, reason: str, *, now: datetime) -> str | None:
    """End a message that was not handed over; None if it has moved on since it was read."""
    return _move_as_seen(message, status, due_at=None, failure_reason=reason[:_REASON_LENGTH], updated_at=now)


def give_back(claims: Iterable[tuple[uuid.UUID, datetime | None]], *, now: datetime) -> None:
    """Let go of claimed messages that were not begun, by their ids and the end of the claim: a later one has another."""
    by_end: dict[datetime | None, list[uuid.UUID]] = {}
    for pk, until in claims:
        by_end.setdefault(until, []).append(pk)
    for until, ids in by_end.items():
        claimed = CommunicationLog.objects.filter(pk__in=ids, status=MessageStatus.CLAIMED, due_at=until)
        claimed.update(status=MessageStatus.QUEUED, due_at=now, updated_at=now)


@transaction.atomic
def take_back(ids: Collection[uuid.UUID], *, now: datetime) -> set[uuid.UUID]:
    """Queue messages again whose hand-over was at hand and provably never began; return which."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM message_unbegun WHERE log_id = ANY(%s) RETURNING log_id", [list(ids)])
        unbegun = [row[0] for row in cursor.fetchall()]
    sending = CommunicationLog.objects.select_for_update(of=("self",)).filter(
        pk__in=unbegun, status=MessageStatus.SENDING
    )
    messages = list(sending.prefetch_related("attempt_rows"))
    for message in messages:
        message.status, message.due_at, message.updated_at = MessageStatus.QUEUED, now, now
        message.attempts -= 1
        message.seal = evidence.seal(message, message.attempt_rows.all()) if message.attempts else None
    CommunicationLog.objects.bulk_update(messages, ["status", "due_at", "updated_at", "attempts", "seal"])
    return {message.pk for message in messages}


@dataclass(frozen=True)
class Ended:
    """A hand-over that is over: its attempt, and what it makes of the message, yet to be written down."""

    message: CommunicationLog
    outcome: Outcome
    attempt: MessageAttempt
    status: MessageStatus
    due_at: datetime | None
    seal: str

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of ``RECORDED``."""
        attempt, went = self.attempt, self.status == MessageStatus.SENT
        return {
            "ended_id": self.message.pk,
            "ended_status": self.status.value,
            "ended_due_at": self.due_at,
            "ended_reason": None if went else attempt.answer,
            "ended_sent_at": attempt.ended_at if went else None,
            "ended_seal": self.seal,
            **{f"attempt_{name}": getattr(attempt, name) for name in _OF_ATTEMPT},
        }


_OF_ATTEMPT = ("number", "began_at", "ended_at", "provider", "result", "provider_message_id", "answer")
#: Parts of a statement that writes down what became of a hand-over: nothing where the message was moved on meanwhile.
RECORDED = f"""
recorded AS (
    UPDATE communication_log SET
        status = %(ended_status)s, due_at = %(ended_due_at)s, failure_reason = %(ended_reason)s, seal = %(ended_seal)s,
        provider = %(attempt_provider)s, provider_message_id = %(attempt_provider_message_id)s,
        sent_at = coalesce(%(ended_sent_at)s, sent_at), updated_at = %(attempt_ended_at)s
    WHERE id = %(ended_id)s AND status || '' = 'sending' RETURNING id
), attempted AS (
    INSERT INTO message_attempt (log_id, {", ".join(_OF_ATTEMPT)})
    SELECT id, {", ".join(f"%(attempt_{name})s" for name in _OF_ATTEMPT)} FROM recorded
)
"""  # noqa: S608
_RECORD = f"WITH {RECORDED} SELECT count(*) FROM recorded"  # noqa: S608


def end(
    message: CommunicationLog, outcome: Outcome, *, earlier: Iterable[MessageAttempt], began_at: datetime, now: datetime
) -> Ended:
    """Tell what a hand-over makes of its message, which is as it was handed over; ``earlier`` are the attempts before."""
    attempt = _attempt(message, outcome, _words(message, outcome), began_at=began_at, now=now)
    status, due_at = _next(message, outcome, now=now)
    return Ended(message, outcome, attempt, status, due_at, evidence.seal(message, [*earlier, attempt]))


@transaction.atomic
def record(ended: Ended) -> str | None:
    """Write down what became of a hand-over; None where a callback was quicker, whose state stays."""
    with connection.cursor() as cursor:
        cursor.execute(_RECORD, ended.parameters)
        moved = cursor.fetchone()[0] or record_late(ended)
    if ended.outcome.result == Result.OPTED_OUT:
        message, channel = ended.message, Channel(ended.message.communication_type)
        source, now = ended.attempt.answer or ended.outcome.provider, ended.attempt.ended_at
        contact_points.suppress(
            message.address or "", channel=channel, reason=SuppressionReason.OPTED_OUT, source=source, now=now
        )
    return ended.status if moved else None


def settle_stuck(*, now: datetime) -> int:
    """Mark what has been in the hand-over for too long as uncertain; return how many. What provably never began goes on."""
    stuck = CommunicationLog.objects.filter(status=MessageStatus.SENDING, due_at__lte=now)
    ids = list(stuck.values_list("pk", flat=True))
    taken_back = take_back(ids, now=now) if ids else set()
    return sum(_cut_short(pk, now=now) for pk in ids if pk not in taken_back)


@transaction.atomic
def _cut_short(pk: uuid.UUID, *, now: datetime) -> bool:
    befores = states.before(MessageStatus.UNCERTAIN, Cause.CLOCK)
    due = CommunicationLog.objects.filter(pk=pk, status__in=befores, due_at__lte=now)
    message = due.select_for_update(of=("self",), skip_locked=True).first()
    if message is None:
        return False
    unknown = Outcome(Result.UNCERTAIN, message.provider or "unknown", reason_text=_CUT_SHORT)
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


@transaction.atomic
def record_late(ended: Ended) -> bool:
    """Record a hand-over whose message was moved on meanwhile: by a callback, or because it took too long."""
    attempt, after = ended.attempt, ended.status
    message = CommunicationLog.objects.select_for_update(of=("self",)).get(pk=attempt.log_id)
    changes: dict[str, Any] = {
        "provider": attempt.provider,
        "provider_message_id": attempt.provider_message_id or message.provider_message_id,
        "updated_at": attempt.ended_at,
        "seal": evidence.seal(message, [*message.attempt_rows.all(), attempt]),
    }
    if after == MessageStatus.SENT:
        changes["sent_at"] = attempt.ended_at
    moves = after != MessageStatus.UNCERTAIN and message.status in states.before(after, Cause.WORKER)
    if moves:
        changes |= {"status": after, "due_at": ended.due_at}
        changes["failure_reason"] = None if after == MessageStatus.SENT else attempt.answer
    CommunicationLog.objects.filter(pk=message.pk).update(**changes)
    attempt.save(force_insert=True)
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
        provider_message_id=outcome.provider_message_id[:_ID_LENGTH] if outcome.provider_message_id else None,
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
    words = (outcome.reason_text or "").replace("\x00", "").encode("utf-8", "replace").decode()
    if message.one_time_code_of:
        words = one_time_code.mask(words, message.one_time_code_of)
    return words[:_REASON_LENGTH] or None
