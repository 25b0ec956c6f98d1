"""Send what was claimed, once.

A message is committed as ``sending`` before it is handed over, and the hand-over happens outside any transaction. What a crash
leaves in ``sending`` is never sent again by itself: twice is worse than not at all. It turns ``uncertain``, and a provider's
callback or an agent settles it.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from django.db import connection

from communications import batches, contact_gate, outbox, outcomes
from communications.batches import Batch
from communications.channels.message import Outcome, Outgoing, Result
from communications.channels.senders import Senders
from communications.composition import Text
from communications.contact_gate import Verdict
from communications.models import (
    Channel,
    CommunicationLog,
    CommunicationLogQuerySet,
    CommunicationTemplate,
    MessageStatus,
)
from communications.outbox import Lane
from ddc.common import tracing

log = structlog.get_logger(__name__)

Clock = Callable[[], datetime]

BATCH = 50
#: How long a claim holds, unless its message goes out before.
CLAIM_LEASE = timedelta(seconds=60)
#: How long a hand-over may take before the message is in doubt.
SENDING_LEASE = timedelta(seconds=60)
#: The gate decides by facts that are no older than this.
FACTS_LAST = timedelta(seconds=2)
#: A worker ends its turn after this, so that ticks don't pile up.
TURN = timedelta(seconds=20)

#: Numbers that nobody else uses for advisory locks: this one and, for the second lane, the next.
_LOCK = 0x44_44_43_00
_LANES = tuple(Lane)


@dataclass
class Drained:
    """How many messages ended in which status, and whether time ran out before the outbox was empty."""

    ended: Counter[str] = field(default_factory=Counter)
    more: bool = False


def drain(*, clock: Clock, lane: Lane = Lane.ALL, turn: timedelta | None = None) -> Drained:
    """Send whatever is due until nothing is, or the turn is over. Any number may do so at once."""
    drained = Drained()
    ends = clock() + turn if turn else None
    with Senders() as senders:
        while messages := outbox.claim(now=clock(), limit=BATCH, lease=CLAIM_LEASE, lane=lane):
            batch = batches.load(messages, now=clock())
            while batch.messages:
                now = clock()
                if ends and now >= ends:
                    _give_back(batch.messages, now=now)
                    drained.more = True
                    return drained
                if now - batch.loaded_at > FACTS_LAST:
                    batch = batches.again(batch.messages, now=now)
                if batch.messages:
                    message = batch.messages.pop(0)
                    with tracing.caused_by(message.request_id):
                        status = _deliver(message, batch, senders, clock=clock)
                        log.info("message", message=str(message.pk), channel=message.communication_type, status=status)
                    drained.ended[status or "passed by"] += 1
    return drained


def drain_alone(*, clock: Clock, lane: Lane = Lane.ALL) -> Drained:
    """Drain for one turn, unless another is at it in this lane; wake the next worker if more is due.

    One at a time leaves the other workers to other work, and at most one message of a lane in doubt when all are killed.
    """
    with _alone(lane) as alone:
        drained = drain(clock=clock, lane=lane, turn=TURN) if alone else Drained()
    # What came in between the last look and the end of the turn found this one still at it, and went away.
    if alone and outbox.is_due(now=clock(), lane=lane):
        outbox.wake(lane)
    return drained


@contextmanager
def _alone(lane: Lane) -> Iterator[bool]:
    """Hold the lane's advisory lock; PostgreSQL frees it with the connection, however a worker ends."""
    key = _LOCK + _LANES.index(lane)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        (alone,) = cursor.fetchone()
    try:
        yield bool(alone)
    finally:
        if alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


def _deliver(message: CommunicationLog, batch: Batch, senders: Senders, *, clock: Clock) -> str | None:
    """Take one message as far as it goes now; return its status, or None if another was quicker."""
    now = clock()
    if message.expires_at and message.expires_at <= now:
        reason = "expired: It was worthless by the time it could go."
        return outcomes.close(message, MessageStatus.FAILED, reason, now=now)
    decision = contact_gate.decide(batch.gate[message.pk], window=contact_gate.policy(), at=now)
    if decision.verdict != Verdict.ALLOW:
        return outcomes.put_off(message, decision, now=now)
    template = batch.template(message)
    if message.template and template is None:
        reason = "template_inactive: No variant of it is active."
        return outcomes.close(message, MessageStatus.FAILED, reason, now=now)
    try:
        goes, kept = batches.write(message, template, batch.values[message.pk])
    except Exception as error:
        log.exception("message_not_written", message=str(message.pk))
        return outcomes.close(message, MessageStatus.FAILED, f"unwritable: {type(error).__name__}", now=now)
    if not _begin(message, template, kept, now=now):
        return None
    outcome = _hand_over(message, goes, senders, language=template.language if template else None)
    return outcomes.record(message, outcome, address=_address(message), now=clock())


def _begin(message: CommunicationLog, template: CommunicationTemplate | None, kept: Text, *, now: datetime) -> bool:
    """Commit that the hand-over begins, with the text that goes. False if the claim was lost."""
    begun = _claimed(message).update(
        status=MessageStatus.SENDING,
        due_at=now + SENDING_LEASE,
        attempts=message.attempts + 1,
        address=_address(message),
        template=template,
        subject=kept.subject,
        body=kept.body,
        html=kept.html,
        updated_at=now,
    )
    return bool(begun)


def _hand_over(message: CommunicationLog, text: Text, senders: Senders, *, language: str | None) -> Outcome:
    """Hand a message to its channel. A call script goes to an agent, before whom it is once it is written."""
    if message.communication_type == Channel.CALL_SCRIPT:
        return Outcome(Result.SENT, "agent")
    outgoing = Outgoing(message.pk, _address(message), text.subject, text.body, text.html, language)
    try:
        return senders.send(Channel(message.communication_type), outgoing)
    except Exception as error:  # A channel tells every failure that it knows; of any other, who knows?
        log.exception("hand_over_failed", message=str(message.pk))
        return Outcome(Result.UNCERTAIN, "unknown", words=f"{type(error).__name__}: {error}")


def _address(message: CommunicationLog) -> str:
    debtor = message.debtor
    if debtor is None:
        return ""
    return debtor.email.strip() if message.communication_type == Channel.EMAIL else (debtor.mobile_phone or "")


def _claimed(message: CommunicationLog) -> CommunicationLogQuerySet:
    return CommunicationLog.objects.filter(pk=message.pk, status=MessageStatus.CLAIMED, due_at=message.due_at)


def _give_back(messages: list[CommunicationLog], *, now: datetime) -> None:
    """Let go of what was claimed and not begun."""
    for message in messages:
        _claimed(message).update(status=MessageStatus.QUEUED, due_at=now, updated_at=now)
